"""Settings that all services share: what asks nobody for a token is open to no strangers."""

import pytest
from pydantic import ValidationError

from forecasting.settings import ServeSettings
from producers.settings import ExchangeSettings
from streaming.settings import StreamSettings


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_service_that_asks_nobody_for_a_token_listens_where_strangers_come_only_if_told_so(address: str) -> None:
    for settings in (StreamSettings, ExchangeSettings):
        with pytest.raises(ValidationError, match=r"FORETICK_BIND=.*FORETICK_PRIVATE_NETWORK=true"):
            settings(bind=address)
    with pytest.raises(ValidationError, match=r"FORETICK_FORECASTING_HOST=.*FORETICK_PRIVATE_NETWORK=true"):
        ServeSettings(forecasting_host=address)
    assert StreamSettings(bind=address, private_network=True).bind == address
    assert ServeSettings(forecasting_host=address, private_network=True).forecasting_host == address
