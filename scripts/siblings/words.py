"""Names, dates, sums and sentences by chance."""

from __future__ import annotations

from scripts.siblings.streams import Rng, pick, some, whole

_WORDS = (
    "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school",
    "state", "family", "student", "group", "country", "problem", "hand", "part", "place", "case", "week", "company",
    "system", "program", "question", "work", "government", "number", "night", "point", "home", "water", "room",
    "mother", "area", "money", "story", "fact", "month", "lot", "right", "study", "book", "eye", "job", "word",
    "business", "issue", "side", "kind", "head", "house", "service", "friend", "father", "power", "hour", "game",
    "line", "end", "member", "law", "car", "city", "community", "name", "president", "team", "minute", "idea",
    "body", "information", "back", "parent", "face", "others", "level", "office", "door", "health", "person", "art",
    "war", "history", "party", "result", "change", "morning", "reason", "research", "girl", "guy", "moment", "air",
    "teacher", "force", "education", "market", "garden", "river", "window", "summer", "winter", "letter", "paper",
    "bridge", "harbour", "engine", "signal", "copper", "silver", "lemon", "orange", "valley", "mountain", "island",
    "forest", "paint", "theatre", "concert", "evening", "supper", "candle", "ladder", "mirror",
)  # fmt: skip
_LINKS = (
    "the", "of", "and", "to", "in", "a", "for", "on", "with", "as", "by", "from", "at", "into", "after",
    "about", "over", "under", "this", "their", "its",
)  # fmt: skip
_FIRST = (
    "Anna", "Bruno", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Leo",
    "Mara", "Nils", "Olga", "Paul", "Quentin", "Rosa", "Simon", "Tilda", "Ursula", "Victor", "Wanda", "Xaver",
    "Yara", "Zeno", "Amina", "Kofi", "Mei", "Hiro", "Priya", "Omar", "Lucia", "Pedro", "Sana", "Igor",
)  # fmt: skip
_LAST = (
    "Abel", "Brandt", "Castro", "Dupont", "Eriksen", "Fontana", "Garcia", "Hansen", "Ivanov", "Jensen",
    "Keller", "Lopez", "Moreau", "Novak", "Okafor", "Petersen", "Quist", "Rossi", "Sato", "Tanaka", "Urban",
    "Varga", "Weber", "Xu", "Yilmaz", "Zimmer", "Olsen", "Haddad", "Silva", "Brown", "Clarke",
)  # fmt: skip
_CITIES = (
    "Aldbury", "Bergen", "Corvara", "Delft", "Elmshorn", "Farnham", "Gorizia", "Halden", "Ilmenau", "Jaca",
    "Kalmar", "Lugano", "Malmo", "Narvik", "Oviedo", "Parma", "Quimper", "Reims", "Siena", "Turku", "Ulm", "Vaasa",
    "Wismar", "Ystad", "Zadar",
)  # fmt: skip
_STREETS = (
    "Mill Lane", "Station Road", "High Street", "Oak Avenue", "Church Row", "Harbour View", "Market Square",
    "Rose Hill",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_GOODS = """Desk lamp|Copper wire 2 mm|Paper A4, white|Oak shelf|Garden hose|Steel bolts M8|Wall paint 5 l|Office chair
|USB cable|Tea, loose|Brass hinge|Glass jar 500 ml|Tool case|Floor tiles|Notebook, ruled|LED bulb 8 W|Door handle|Coffee
|Rice 1 kg|Olive oil|Apples|Bread|Butter|Tomatoes|Cheese|Pasta|Milk 1 l|Eggs x 10|Honey|Orange juice|Yoghurt|Carrots"""
GOODS = [each.strip() for each in _GOODS.replace("\n", "").split("|")]


def person(rng: Rng) -> str:
    """A first and a last name."""
    return f"{pick(rng, _FIRST)} {pick(rng, _LAST)}"


def company(rng: Rng) -> str:
    """A firm's name."""
    return f"{pick(rng, _LAST)} {pick(rng, ('& Sons', 'Ltd', 'Trading', 'Works', 'Group', 'Brothers', 'Supply'))}"


def city(rng: Rng) -> str:
    """A town."""
    return pick(rng, _CITIES)


def cities(rng: Rng, n: int) -> list[str]:
    """Different towns."""
    return some(rng, _CITIES, n)


def street(rng: Rng) -> str:
    """A street with a number."""
    return f"{whole(rng, 1, 140)} {pick(rng, _STREETS)}"


def date(rng: Rng) -> str:
    """A day as text."""
    return f"{whole(rng, 1, 29)} {pick(rng, MONTHS)} {whole(rng, 1962, 2026)}"


def clock(rng: Rng) -> str:
    """A time of day."""
    return f"{whole(rng, 0, 24):02d}:{whole(rng, 0, 60):02d}"


def digits(rng: Rng, n: int, groups: int = 0) -> str:
    """n digits, a space after each `groups` of them."""
    text = "".join(map(str, rng.integers(0, 10, n).tolist()))
    return " ".join(text[i : i + groups] for i in range(0, n, groups)) if groups else text


def letters(rng: Rng, n: int) -> str:
    """n capitals."""
    return "".join(pick(rng, "ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(n))


def amount(rng: Rng, low: float = 2, high: float = 900) -> float:
    """A sum of money."""
    return round(float(rng.uniform(low, high)), 2)


def word(rng: Rng) -> str:
    """One noun."""
    return pick(rng, _WORDS)


def title(rng: Rng, n: int = 3) -> str:
    """A few words with capitals."""
    return " ".join(each.capitalize() for each in some(rng, _WORDS, n))


def sentence(rng: Rng) -> str:
    """Words in a row, with a full stop."""
    n = whole(rng, 6, 14)
    row = [pick(rng, _WORDS if i % 2 or rng.random() < 0.3 else _LINKS) for i in range(n)]
    return " ".join(row).capitalize() + "."


def paragraph(rng: Rng, n: int = 5) -> str:
    """Sentences."""
    return " ".join(sentence(rng) for _ in range(n))
