"""The publications of the rules over the API."""

from claims.models import Publication
from tests import factories
from tests.api.client import api_of


def test_the_vendor_reads_publications_and_their_catalog(db: None) -> None:
    factories.need_catalog()
    api = api_of(factories.vendor("auditor"))
    [row] = api.get("publications/")["results"]
    assert row["said"][0].startswith("The first catalog: ")
    assert (row["published_by"], row["requested_by"]) == (None, None)
    catalog = api.get(f"publications/{row['id']}/catalog/")["catalog"]
    assert catalog == Publication.objects.get().catalog
    assert api.get(f"publications/{row['id']}/")["sha256"] == row["sha256"]


def test_partners_know_of_no_publication(db: None) -> None:
    factories.need_catalog()
    api = api_of(factories.make_person(factories.make_partner()))
    assert api.get("publications/")["results"] == []
    assert api.get(f"publications/{Publication.objects.get().pk}/").status == 404
