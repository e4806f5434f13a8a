"""The roles a token can name."""

from typing import Literal, get_args

Rolle = Literal[
    "fagsystem",
    "system",
    "fagperson",
    "koordinator",
    "koordinerende-enhet",
    "leder",
    "revisor",
    "foresatt",
    "barn",
    "frivillig",
    "slt",
    "drift",
]
ROLLER: tuple[str, ...] = get_args(Rolle)
