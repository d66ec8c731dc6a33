"""The table of all read models: one collection each, in the order in which an operator thinks of them."""

from projections.bars import BARS
from projections.corporate_actions import CORPORATE_ACTIONS
from projections.folds import ReadModel
from projections.forecasts import FORECASTS
from projections.leaderboard import LEADERBOARD
from projections.promotions import PROMOTIONS
from projections.revisions import REVISIONS
from projections.symbols import SYMBOLS

READ_MODELS = (BARS, REVISIONS, CORPORATE_ACTIONS, FORECASTS, LEADERBOARD, SYMBOLS, PROMOTIONS)


def read_model(name: str) -> ReadModel:
    """Return a read model by its collection's name.

    Raises:
        KeyError: no such read model; the text lists those there are.
    """
    for model in READ_MODELS:
        if model.name == name:
            return model
    raise KeyError(f"no read model {name!r}; there are {', '.join(model.name for model in READ_MODELS)}")
