"""The typed events: one frozen class for each schema in `schemas/`, checked against it by a test."""

from contracts.events.bar import BarClosed
from contracts.events.base import BrokenInvariant, Event
from contracts.events.corporate_action import CorporateActionAnnounced
from contracts.events.drift import DriftDetected
from contracts.events.forecast import ForecastIssued
from contracts.events.promotion import ModelPromoted
from contracts.events.score import ForecastScored

__all__ = [
    "BarClosed",
    "BrokenInvariant",
    "CorporateActionAnnounced",
    "DriftDetected",
    "Event",
    "ForecastIssued",
    "ForecastScored",
    "ModelPromoted",
]
