"""What PynamoDB models of people have in common, however their tables are cut."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model


class PersonModel(Model):
    """Who somebody is. What they have bought is declared where it is measured: flat or nested."""

    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    first_name = UnicodeAttribute()
    last_name = UnicodeAttribute()
    company_email = UnicodeAttribute()
    phone_number = UnicodeAttribute()
    company_name = UnicodeAttribute()
    registered_at = UnicodeAttribute()
