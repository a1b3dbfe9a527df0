"""The words that demo users are made of: names, companies, phone patterns, and the showcase.

Everybody here is invented. Phone numbers lie in the ranges kept for fiction where there are any
(NANPA: +1 … 555-01XX, Ofcom: +44 7700 900XXX), elsewhere behind prefixes that look invented;
that is no promise that nobody has them: never dial or text one.
"""

import random
import re
from typing import NamedTuple

from chalicelib.users.model import BillingPeriod, SubscriptionStatus


class Plan(NamedTuple):
    """A plan of the shop: encounters included in a term, and the most licences that we invent."""

    name: str
    encounters: int
    most_licences: int


class Purchase(NamedTuple):
    """What makes a person a customer, and how far the customer has come."""

    plan: Plan
    period: BillingPeriod
    status: SubscriptionStatus
    deployed: bool = True
    suspended: bool = False


class Person(NamedTuple):
    """Somebody who registered `days_ago` days before today's midnight; missing text is empty."""

    first_name: str
    last_name: str
    company: str
    phone: str
    days_ago: float
    purchase: Purchase | None = None
    has_email: bool = True


class Language(NamedTuple):
    """How people and practices are called where a language is spoken.

    `companies` are templates with {name} or {surname}; an X in `phones` stands for any digit.
    """

    given: tuple[str, ...]
    surnames: tuple[str, ...]
    surnames_each: tuple[int, ...]
    companies: tuple[str, ...]
    company_names: tuple[str, ...]
    legal_forms: tuple[str, ...]
    phones: tuple[str, ...]

    def company(self, rng: random.Random) -> str:
        """Name a practice, often with its legal form."""
        name, surname = rng.choice(self.company_names), rng.choice(self.surnames)
        company = rng.choice(self.companies).format(name=name, surname=surname)
        return company + rng.choice(self.legal_forms)

    def phone(self, rng: random.Random) -> str:
        """Write a number as `+` and digits, one in five as people type it."""
        number = re.sub("X", lambda _: str(rng.randrange(10)), rng.choice(self.phones))
        return number if rng.random() < 0.2 else re.sub(r"[^+0-9]", "", number)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


LITE = Plan("Lite", 500, 5)
PLUS = Plan("Plus", 2000, 20)
PREMIUM = Plan("Premium", 5000, 80)
FREE_TRIAL = Plan("Free Trial", 50, 3)

_MONTHLY, _ANNUAL = BillingPeriod.MONTHLY, BillingPeriod.ANNUAL
_ACTIVE, _EXPIRED = SubscriptionStatus.ACTIVE, SubscriptionStatus.EXPIRED

SPANISH = Language(
    given=_words(
        "María|José|Ana|Luis|Lucía|Andrés|Íñigo|Begoña|Sofía|Nicolás|Valentina|Sebastián|Camila"
        "|Mateo|Daniela|Óscar|Ximena|Raúl|Inés|Tomás|Paula|Iván|Rocío|Julián|Noelia|Ángel|Carmen"
        "|Germán|Adriana|Martín|Verónica|Hernán|Belén|Simón|Pilar|Álvaro|Fernanda|Joaquín|Zoé"
        "|Efraín|Jimena|Agustín|Marisol|Félix|Yolanda|Ramón|Luz|Ruy|Nuria|Zacarías|María del Mar"
    ),
    surnames=_words(
        "Gómez|Ruiz|Muñoz|Peña|Rodríguez|Núñez|Ibáñez|Castaño|Zúñiga|Ordóñez|Cárdenas|Ríos|Vélez"
        "|Arango|Quiñones|Bermúdez|Salazar|Montoya|Ocampo|Echeverría|Agüero|Pérez|Jiménez|Patiño"
        "|Londoño|Restrepo|Cañas|Villaseñor|Treviño|Yáñez|Ávila|Solís|Fuentes|Belmonte|Carrasco"
        "|de la Torre|de la Peña|de los Ríos|del Valle|D'Alessio|D'Ángelo|Sainz-Álvarez|Puig-Roca"
        "|Ortiz|Lozano|Mejía|Téllez|Escobedo|Garrido|Mondragón|Urrutia|Zabala|Güell|Barragán"
    ),
    surnames_each=(2, 2, 2, 2, 1),
    companies=_words(
        "Clínica {name}|Clínica Dental {name}|Centro Médico {name}|Consultorio {surname}"
        "|Odontología {surname} & Asociados|Fisioterapia {name}|Pediatría {name}|IPS {name}"
        "|Dermatología {surname}|Clínica {surname}|Óptica {name}|Laboratorio {surname} & Hijos"
        "|Centro de Rehabilitación {name}|Unidad Cardiológica {name}|Psicología {name}"
    ),
    company_names=_words(
        "Luna|San Ángel|Nuestra Señora del Río|El Peñón|Bahía|La Colina|Amanecer|Sierra Niña|Olmo"
        "|Río Dulce|El Jardín|Monteazul|Santa Inés|Los Álamos|Puerto Niebla|Vida Plena|Corazón"
        "|Cigüeña|Los Cañones|Aurora|Horizonte|Jacarandá|Ceiba|Mirasol|El Roble|Tres Ríos|Alhelí"
    ),
    legal_forms=("", "", "", " S.A.S.", " Ltda.", " S.A. de C.V.", " S.L."),
    phones=("+57 (39X) XXX XXXX",) * 7 + ("+52 (210) 555 XXXX",) * 2 + ("+34 555 XXX XXX",),
)

PORTUGUESE = Language(
    given=_words(
        "João|Conceição|Inês|Luísa|Tiago|Beatriz|Antônio|Márcia|Gonçalo|Letícia|Caio|Thaís|Rui"
        "|Catarina|Estêvão|Fátima|Otávio|Graça|Vinícius|Assunção|Mônica|Duarte|Zélia|Simão|Íris"
    ),
    surnames=_words(
        "Araújo|Gonçalves|Magalhães|Simões|da Conceição|de Souza|dos Anjos|Brandão|Leitão|Falcão"
        "|Mendonça|Assunção|Guimarães|Fração|d'Ávila|Sá-Nogueira|Bragança|Queirós|Lourenço|Galvão"
        "|da Luz|Estêvão|Pimentel|Rebouças|Carvalhaes|Damião|Valadão|Tourinho|Açucena|Sertã"
    ),
    surnames_each=(1, 2, 2, 3),
    companies=_words(
        "Clínica {name}|Consultório {surname}|Centro Médico {name}|Odontologia {surname} & Irmãos"
        "|Saúde {name}|Fisioterapia {name}|Policlínica {surname}|Instituto {name}"
    ),
    company_names=_words(
        "Coração|São Bento|Manhã|Esperança|Ipê-Amarelo|Três Marias|Açaí|Bem-Estar|Ribeirão|Maçã"
        "|Pão de Mel|Estação|Boa Visão|Nascente|Lagoa Azul|Serra do Cão"
    ),
    legal_forms=("", "", " Ltda.", " S.A.", " & Cia. Ltda.", ", Lda."),
    phones=("+55 (20) 9XXXX-XXXX", "+55 (20) 9XXXX-XXXX", "+351 955 XXX XXX"),
)

ENGLISH = Language(
    given=_words(
        "Alice|Edmund|Zoë|Chloë|Rory|Siobhán|Harriet|Desmond|Imogen|Callum|Renée|Walter|Maeve"
        "|Jean-Luc|Noël|Tabitha|Percy|Ottilie|Bram|Winifred|Anne-Marie|Gideon|Ffion|Barnaby"
    ),
    surnames=_words(
        "O'Brannock|O'Hallow|D'Arcey|McTavern|Lloyd-Hartwell|Pennywood|Thistlewick|Ashcombe"
        "|Brontley|Fairweather|Quillfeather|St. Alder|Marsh-Wren|Holloway|Winterbourne|Blackthorn"
        "|Underhay|van der Moor|Loxley-Reed|Copperfold|Greengrove|Mac Gillow|Eastleigh|Tarrow"
    ),
    surnames_each=(1, 1, 1, 1, 2),
    companies=_words(
        "{name} Family Practice|{surname} & Daughters Dental|{name} Medical Center|{name} Clinic"
        "|Dr. {surname}'s Surgery|{surname} Physiotherapy|{name} Women's Health"
    ),
    company_names=_words(
        "Sunrise|Willow Creek|Old Mill|Harbour|St. Elm's|Blue Door|Maple & Main|Northgate|Kite Hill"
        "|Riverbend|Café Row|Two Oaks|Lantern|Fernside"
    ),
    legal_forms=("", "", "", " Inc.", " LLC", " Ltd."),
    phones=(
        *(f"+1 ({area}) 555-01XX" for area in (212, 305, 415, 512, 617, 787)),
        *("+44 7700 900XXX",) * 4,
    ),
)

SHOWCASE = (
    Person(
        *("María José", "Gómez Ruiz", "Clínica Sol", "+573001234567", 120.37),
        Purchase(PREMIUM, _ANNUAL, _ACTIVE),
    ),
    Person("João", "da Conceição Araújo", "Araújo & Irmãos Ltda.", "+55 (20) 95550-0147", 3.21),
    Person(
        *("Siobhán", "O'Brannock-Hale", "Hale Family Practice", "+13055550142", 9.64),
        Purchase(LITE, _MONTHLY, _ACTIVE, deployed=False),
    ),
    Person(
        *("Andrés Felipe", "de la Torre Muñoz", "Centro Médico Peñón S.A.S.", "+573905550199"),
        *(210.58, Purchase(PLUS, _MONTHLY, _ACTIVE, suspended=True)),
    ),
    Person("Begoña", "Ibáñez", "Óptica Cigüeña", "", 3.21),
    Person(
        *("Inês", "Magalhães Fração", "Saúde Manhã, Lda.", "+351 955 550 123", 6.45),
        Purchase(FREE_TRIAL, _MONTHLY, SubscriptionStatus.TRIALING),
    ),
    Person("Ευρυδίκη", "Λιμανιώτη", "Clínica Dental Olmo", "+34 555 010 203", 45.9),
    Person("Zoé", "", "", "+573915550100", 0.35),
    Person(
        *("Íñigo", "Sainz-Álvarez", "Fisioterapia Río Dulce S.L.", "+34555010277", 398.73),
        Purchase(PLUS, _ANNUAL, _EXPIRED),
    ),
    Person(
        *("Ximena", "Villaseñor Treviño", "Pediatría Alhelí S.A. de C.V.", "+522105550155", 88.12),
        Purchase(PREMIUM, _MONTHLY, SubscriptionStatus.PAST_DUE),
    ),
    Person("نور", "الياسمين", "عيادة الياسمين", "+447700900321", 17.02),
    Person(
        *("梅", "柳", "和平诊所", "+1 (415) 555-0188", 61.5),
        Purchase(LITE, _ANNUAL, _ACTIVE),
    ),
    Person(("Maximiliana" * 19)[:200], "Larguísima", "Clínica Larga", "+573925550111", 150.25),
    Person("Lucía 🌻", "Peña 👩‍⚕️", "Clínica Girasol 🌻", "+57 (393) 555 0133", 2.8),
    Person("<b>Ana</b>", "Ríos", "<i>Clínica</i> & Co.", "+573945550144", 29.99),
    Person(
        *("Óscar", "D'Ángelo Patiño", "IPS Monteazul S.A.S.", "+573955550177", 300.41),
        Purchase(PLUS, _ANNUAL, SubscriptionStatus.SUSPENDED),
    ),
    Person(
        *("Renée", "Lloyd-Hartwell", "Maple & Main Clinic", "+44 7700 900456", 190.08),
        Purchase(LITE, _MONTHLY, SubscriptionStatus.CANCELLED),
    ),
    Person("Gonçalo", "d'Ávila", "Policlínica Leitão", "+351955550166", 75.6, has_email=False),
    Person(
        *("Noelia", "Quiñones", "Psicología Aurora", "", 52.77),
        Purchase(FREE_TRIAL, _MONTHLY, _EXPIRED, deployed=False),
    ),
    Person("Ruy", "Agüero Cañas", "=Salud+Vida", "+573965550122", 11.16),
)
"""Who comes first, so that a handful of demo users already shows what the lists must bear."""
