"""The table of all read models: one collection each, in the order in which an operator thinks of them."""

from projections.folds import ReadModel
from projections.read_models.bars import BARS
from projections.read_models.corporate_actions import ACTIONS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.leaderboard import LEADERBOARD
from projections.read_models.promotions import PROMOTIONS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS

READ_MODELS = (BARS, REVISIONS, ACTIONS, FORECASTS, LEADERBOARD, SYMBOLS, PROMOTIONS)


def read_model(name: str) -> ReadModel:
    """Return a read model by its collection's name.

    Raises:
        KeyError: no such read model; the text lists those there are.
    """
    for model in READ_MODELS:
        if model.name == name:
            return model
    raise KeyError(f"no read model {name!r}; there are {', '.join(model.name for model in READ_MODELS)}")
