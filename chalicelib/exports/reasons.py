"""Why an export failed, for the person who asked for it: by language, with what to do now."""

from collections.abc import Mapping
from typing import TypeAlias

MAX_ATTEMPTS = 3
"""Attempts that may fail; ExportsQueue in infra/resources.yaml delivers a message more often."""

Reason: TypeAlias = Mapping[str, str]
"""The sentence by language; logs have the English one."""

DIED: Reason = {
    "es": f"{MAX_ATTEMPTS} intentos terminaron sin dar señales; acote el listado con filtros",
    "en": f"{MAX_ATTEMPTS} attempts ended without a word; narrow the list down with filters",
}
TOO_LONG: Reason = {
    "es": f"No se pudo terminar en el tiempo de una ejecución, en {MAX_ATTEMPTS} intentos; "
    "acote el listado con filtros y vuelva a pedirla",
    "en": f"It could not be finished within the time of one run, in {MAX_ATTEMPTS} attempts; "
    "narrow the list down with filters, and ask again",
}
UNAVAILABLE: Reason = {
    "es": f"Se desistió tras {MAX_ATTEMPTS} intentos: un servicio que hace falta no respondió; "
    "vuelva a pedirla dentro de un rato",
    "en": f"Gave up after {MAX_ATTEMPTS} attempts: a service that it needs did not answer; "
    "ask again in a while",
}
BUG: Reason = {
    "es": "Algo falló por nuestra parte; los detalles están en el registro: "
    "diga a quien opera el sistema el id de la exportación",
    "en": "Something went wrong on our side; the details are in the log: "
    "tell whoever runs this system the id of the export",
}
ABANDONED: Reason = {
    "es": "Nadie pudo terminar esta exportación; pida una nueva",
    "en": "Nobody could finish this export; ask for a new one",
}


def refused(code: str) -> Reason:
    """The tables or keys may not be used, as the `code` of AWS says."""
    return {
        "es": f"Se desistió tras {MAX_ATTEMPTS} intentos: el almacén de datos rechaza a este "
        f"sistema; avise a quien lo opera ({code})",
        "en": f"Gave up after {MAX_ATTEMPTS} attempts: the data store refuses to serve this "
        f"system; tell its operators ({code})",
    }
