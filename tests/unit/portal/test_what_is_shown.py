"""What each viewer finds on the pages: what the gate lets through, and nothing else."""

import re
import uuid
from datetime import timedelta

from tests.unit.portal.conftest import Browser
from tests.unit.portal.verden import KOORDINATOR, LAERER, NOW, REVISOR, Json, Varsler, Verden, principal

FRAVAER = "Fravær over terskelen"


def a_child_with_four_services(verden: Verden) -> str:
    kari = verden.child("Kari Testdatter")
    verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12, "periode": "2026-2027"})
    verden.event(kari, "helsestasjon", "oppfolging.utvidet", {"sak": "H-77"})
    verden.event(kari, "nav", "oppfolging.startet")
    verden.event(kari, "barnevern", "tiltak.iverksatt", {"kategori": "4.2"})
    return kari


async def test_a_coordinator_sees_four_services_and_of_barnevern_the_status_alone(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    page = (await browser(KOORDINATOR).get(f"/barn/{kari}")).text
    for service in ("Skole", "Helsestasjon", "NAV", "Barnevern"):
        assert f"</span>{service}</span>" in page
    assert "Kun status" in page
    assert "Kontakt pågår" in page
    assert "Tiltak iverksatt" not in page
    assert "4.2" not in page


async def test_without_the_right_a_coordinator_cannot_tell_that_barnevern_is_there(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    page = (await browser(principal("koordinator")).get(f"/barn/{kari}")).text
    assert FRAVAER in page
    assert "arnevern" not in page.replace("barnevernsloven", "")


async def test_a_teacher_sees_the_schools_own_and_nothing_the_gate_denies(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    page = (await browser(LAERER).get(f"/barn/{kari}")).text
    assert FRAVAER in page
    assert "Dager" in page
    for hidden in ("Helsestasjon<", "NAV<", "arnevern", "H-77"):
        assert hidden not in page


async def test_an_event_denied_on_the_page_is_denied_on_its_own_address_too(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    for row in verden.rows:
        answer = await browser(LAERER).get(f"/hendelser{row['source']}/{row['id']}")
        assert answer.status_code == (200 if row["tjeneste"] == "skole" else 404), row["type"]
    assert kari in str(verden.reads)


async def test_each_way_a_childs_page_links_to_opens_for_a_coordinating_unit_too(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    cause = verden.event(kari, "skole", "fravaer.terskel-passert")
    verden.event(kari, "skole", "elevforhold.startet")
    verden.task(kari, "koordinerende-enhet", [cause], koordinering=True)
    verden.gate = lambda viewer, item: "full" if item.get("koordinering", True) else "deny"
    client = browser(principal("koordinerende-enhet"))
    ways = re.findall(r'href="(/hendelser/[^"]+)"', (await client.get(f"/barn/{kari}")).text)
    assert len(set(ways)) == 2
    assert {(await client.get(way)).status_code for way in ways} == {200}


async def test_status_alone_opens_no_way_of_an_event(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "barnevern", "tiltak.iverksatt")
    assert (await browser(KOORDINATOR).get(f"/hendelser{row['source']}/{row['id']}")).status_code == 404


async def test_a_denied_child_cannot_be_told_from_one_that_is_not_there(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    verden.gate = lambda viewer, item: "deny"
    client = browser(LAERER)
    denied = await client.get(f"/barn/{kari}")
    unknown = await client.get(f"/barn/{uuid.uuid4()}")
    malformed = await client.get("/barn/ikke-et-barn")
    assert denied.status_code == unknown.status_code == malformed.status_code == 404
    paths = re.compile(r"/barn/[^\"' ]+")
    assert paths.sub("", denied.text) == paths.sub("", unknown.text) == paths.sub("", malformed.text)
    assert denied.headers == unknown.headers


async def test_content_that_no_longer_opens_is_said_to_be_unreadable(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    verden.keys[row["nokkelid"]] = bytes(32)
    page = (await browser(LAERER).get(f"/barn/{kari}")).text
    assert "Innholdet kan ikke leses lenger" in page
    assert "Dager" not in page


async def test_ciphertext_moved_to_another_event_does_not_open(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    one = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 314159})
    other = verden.event(kari, "skole", "elevforhold.startet", {"trinn": 8})
    other["innhold"], other["nokkelid"] = one["innhold"], one["nokkelid"]
    page = (await browser(LAERER).get(f"/barn/{kari}")).text
    assert page.count("314159") == 1
    assert "Innholdet kan ikke leses lenger" in page


async def test_the_gate_is_asked_again_for_each_page(verden: Verden, browser: Browser) -> None:
    kari = a_child_with_four_services(verden)
    client = browser(LAERER)
    assert FRAVAER in (await client.get(f"/barn/{kari}")).text
    verden.gate = lambda viewer, item: "full" if item["slag"] == "barn" else "deny"
    assert FRAVAER not in (await client.get(f"/barn/{kari}")).text


async def test_every_row_shown_was_asked_about_as_it_stands_in_the_catalogue(
    verden: Verden, browser: Browser
) -> None:
    kari = a_child_with_four_services(verden)
    await browser(LAERER).get(f"/barn/{kari}")
    asked = {
        i["type"] for viewer, i in verden.reads if viewer["sub"] == LAERER.sub and i["slag"] == "hendelse"
    }
    assert asked == {row["type"] for row in verden.rows}


async def test_an_auditor_sees_that_and_when_but_neither_content_nor_shielded_types(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari Testdatter")
    school = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12, "regel": "hemmelig-regel"})
    shielded = verden.event(kari, "barnevern", "tiltak.iverksatt", {"kategori": "4.2"})
    client = browser(REVISOR)
    open_way = (await client.get(f"/hendelser{school['source']}/{school['id']}")).text
    assert FRAVAER in open_way
    assert "Kun metadata" in open_way
    assert "hemmelig-regel" not in open_way
    hidden_way = (await client.get(f"/hendelser{shielded['source']}/{shielded['id']}")).text
    assert "Skjermet" in hidden_way
    assert "Tiltak" not in hidden_way
    assert "Barnevern<" not in hidden_way
    page = (await client.get(f"/barn/{kari}")).text
    assert "Kari Testdatter" not in page
    assert "Tiltak" not in page


async def test_no_address_that_an_auditor_is_given_names_a_shielded_service(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari Testdatter")
    shielded = verden.event(kari, "barnevern", "tiltak.iverksatt")
    verden.task(kari, "barnevern", [shielded], regel="tiltak-evaluering")
    client = browser(REVISOR)
    page = (await client.get(f"/barn/{kari}")).text
    assert "barnevern" not in page.lower()
    [way] = set(re.findall(r'href="(/hendelser/[^"]+)"', page))
    answer = await client.get(way)
    assert answer.status_code == 200
    assert shielded["id"] in answer.text
    assert "barnevern" not in answer.text.lower()
    by_id = await client.post("/revisjon", data={"id": shielded["id"]})
    assert by_id.headers["location"] == way
    verden.gate = lambda viewer, item: "deny"
    assert (await client.post("/revisjon", data={"id": shielded["id"]})).status_code == 404
    assert (await client.get(way)).status_code == 404


async def test_an_auditor_finds_her_way_by_ids_and_nobody_else_does(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Testdatter")
    row = verden.event(kari, "skole", "fravaer.terskel-passert")
    client = browser(REVISOR)
    start = (await client.get("/")).text
    assert f'href="/barn/{kari}"' in start
    assert "Testdatter" not in start
    by_event = await client.post("/revisjon", data={"id": row["id"]})
    assert by_event.headers["location"] == f"/hendelser{row['source']}/{row['id']}"
    by_child = await client.post("/revisjon", data={"id": kari})
    assert by_child.headers["location"] == f"/barn/{kari}"
    assert (await client.post("/revisjon", data={"id": "finnes ikke"})).status_code == 404
    assert (await browser(LAERER).post("/revisjon", data={"id": row["id"]})).status_code == 404


async def test_codes_of_the_contracts_are_shown_as_words(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    data = {"status": "UNDER_BEHANDLING", "gjelder": "foresatt", "nav_kontor": "NAV Midtbyen"}
    verden.event(kari, "nav", "soknad.status-endret", data)
    page = (await browser(principal("fagperson", "nav")).get(f"/barn/{kari}")).text
    for words in ("under behandling", "foresatt", "NAV Midtbyen"):
        assert words in page


async def test_a_long_list_of_children_is_cut_and_says_so(verden: Verden, browser: Browser) -> None:
    for number in range(35):
        verden.event(verden.child(f"Barn nummer {number:02}"), "skole", "elevforhold.startet")
    page = (await browser(LAERER).get("/")).text
    assert page.count("Barn nummer") == 30
    assert "flere enn disse" in page


async def test_a_coordinators_children_are_listed_also_without_a_name_and_others_are_not(
    verden: Verden, browser: Browser
) -> None:
    mine, other = str(uuid.uuid4()), verden.child("Andres Barn")
    for subject in (mine, other):
        verden.task(subject, "skole", [verden.event(subject, "skole", "elevforhold.startet")])
    verden.gate = lambda viewer, item: "full" if item["subject"] == mine else "deny"
    page = (await browser(KOORDINATOR).get("/")).text
    assert page.count(f'href="/barn/{mine}"') == 1
    assert page.count('class="oppgave"') == 1
    assert other not in page
    assert "Andres Barn" not in page


async def test_a_task_tells_owner_date_its_kind_provisions_and_what_closes_it(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    cause = verden.event(kari, "skole", "fravaer.terskel-passert")
    verden.task(kari, "skole", [cause])
    page = (await browser(LAERER).get(f"/barn/{kari}")).text
    assert "barnevernsloven § 15-8" in page
    assert re.search(r"opplæringslova § 24-1.{0,80}ikke kvalitetssikret", page, re.S)
    assert not re.search(r"§ 15-8 <span[^>]*>ikke kvalitetssikret", page)
    assert "11.\u00a0desember\u00a02026" in page
    assert "lokal frist" in page
    assert "To tjenester følger opp barnet" in page
    assert "Koordinator oppnevnt" in page


async def test_from_a_task_one_click_leads_to_the_event_that_caused_it(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    cause = verden.event(kari, "skole", "fravaer.terskel-passert")
    verden.task(kari, "skole", [cause])
    client = browser(LAERER)
    for start in ("/", f"/barn/{kari}"):
        found = re.search(r'Utløst av.*?href="([^"]+)"', (await client.get(start)).text, re.S)
        assert found is not None
        assert FRAVAER in (await client.get(found[1])).text


async def test_no_page_names_the_school_of_a_child_with_a_protected_address(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    school = "999888777"
    cause = verden.event(
        kari, "skole", "fravaer.terskel-passert", source=f"/4601/skole/{school}", orgnr=school
    )
    way = f"/hendelser{cause['source']}/{cause['id']}"
    for viewer in (LAERER, KOORDINATOR):
        task = verden.task(kari, "skole", [cause])
        verden.flow(task["id"], "ta")
        client = browser(viewer)
        verden.placeless.clear()
        pages = ("/", f"/barn/{kari}", f"/oppgaver/{task['id']}")
        for page in pages:
            assert school in (await client.get(page)).text
        assert (await client.get(way)).status_code == 200
        verden.placeless.add(kari)
        for page in pages:
            shown = (await client.get(page)).text
            assert FRAVAER in shown
            assert school not in shown
        gone = await client.get(way)
        assert gone.status_code == 404
        assert school not in gone.text


async def test_an_auditor_is_not_sent_to_an_address_that_names_a_protected_childs_school(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "elevforhold.startet")
    verden.placeless.add(kari)
    answer = await browser(REVISOR).post("/revisjon", data={"id": row["id"]})
    assert answer.headers["location"] == f"/barn/{kari}"


async def test_a_cause_the_viewer_may_not_see_is_neither_named_nor_linked(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    shielded = verden.event(kari, "barnevern", "undersokelse.startet")
    verden.task(kari, "skole", [shielded])
    page = (await browser(LAERER).get("/")).text
    assert "To tjenester følger opp barnet" in page
    assert "Undersøkelse" not in page
    assert shielded["id"] not in page


async def test_tasks_come_overdue_first_then_by_date(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    verden.event(kari, "skole", "elevforhold.startet")
    for frist in ("2027-03-01", "2026-11-20", "2026-11-25"):
        verden.task(kari, "skole", [], frist=frist)
    page = (await browser(LAERER).get("/")).text
    dates = re.findall(r'<time datetime="(\d{4}-\d\d-\d\d)"', page)
    assert dates == ["2026-11-20", "2026-11-25", "2027-03-01"]
    assert page.index("Forfalt") < page.index("Frist de neste sju dagene") < page.index("Senere")
    assert "3 dager over fristen" in page


async def test_the_start_page_holds_no_other_services_tasks_and_no_closed_ones(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    verden.task(kari, "nav", [], id=str(uuid.uuid4()))
    verden.task(kari, "skole", [], status="oppfylt")
    page = (await browser(LAERER).get("/")).text
    assert "Du har ingen åpne oppgaver" in page


async def test_a_consent_tells_parties_categories_period_and_status(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    verden.consent(kari, "helsestasjon", ["skole", "koordinator"], ["helseoppfolging"])
    verden.consent(kari, "skole", ["nav"], ["fravar"], status="trukket")
    verden.consent(kari, "skole", ["nav"], ["fravar"], utloper=NOW - timedelta(days=1))
    page = (await browser(LAERER).get(f"/barn/{kari}")).text
    assert "Fra Helsestasjon til Skole, Barnets koordinator" in page
    assert "Helseoppfølging" in page
    assert "begge foreldre" in page
    assert "24.\u00a0oktober\u00a02026" in page
    for status in ("Gjelder nå", "Trukket", "Utløpt"):
        assert status in page


async def test_search_leads_straight_to_a_single_hit_and_keeps_the_words_out_of_addresses(
    verden: Verden, browser: Browser
) -> None:
    kari, _ = verden.child("Kari Testdatter"), verden.child("Ola Testsen")
    client = browser(LAERER)
    one = await client.post("/barn/sok", data={"hva": "kari"})
    assert (one.status_code, one.headers["location"]) == (303, f"/barn/{kari}")
    several = await client.post("/barn/sok", data={"hva": "test"})
    assert "Kari Testdatter" in several.text
    assert "Ola Testsen" in several.text
    await client.post("/barn/sok", data={"hva": "018165 12345"})
    assert verden.searches[-1]["person"] == "01816512345"
    assert "Fant ingen barn" in (await client.post("/barn/sok", data={"hva": "zzz"})).text
    assert (await client.get("/barn/sok?hva=kari")).text.count("Kari") == 0


async def test_the_way_of_an_event_names_its_stations(
    verden: Verden, varsler: Varsler, browser: Browser
) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    consent = str(uuid.uuid4())
    verden.receipts[row["id"]] = receipt(row, consent)
    task = verden.task(kari, "skole", [row])
    varsler.add(task)
    varsler.add(verden.task(kari, "nav", [row]))
    page = (await browser(LAERER).get(f"/hendelser{row['source']}/{row['id']}")).text
    for words in (
        "Frigitt",
        "Familien har samtykket",
        "forvaltningsloven § 13 a nr. 1",
        f"samtykke {consent[:8]}",
        "2026-11-01",
        "skole.hendelser",
        "partisjon 3, nummer 4711",
        "Lagt på barnets tidslinje",
        "Avklar samarbeid",
        "Oppgave opprettet",
        row["traceparent"].split("-")[1],
    ):
        assert words in page, words
    assert page.count("Oppgave opprettet") == 1


async def test_an_event_that_waits_for_consent_says_so_to_its_own_service_alone(
    verden: Verden, browser: Browser
) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "ppt.henvist", tidslinje=False)
    reason = {
        "kode": "mangler-samtykke",
        "bestemmelse": "forvaltningsloven-13",
        "lovversjon": "1",
        "samtykke": None,
    }
    verden.receipts[row["id"]] = {
        **receipt(row, ""),
        "status": "venter",
        "publisert": None,
        "grunner": [reason],
    }
    address = f"/hendelser{row['source']}/{row['id']}"
    page = (await browser(LAERER).get(address)).text
    assert "Venter på samtykke" in page
    assert "Taushetsplikt, og samtykke mangler" in page
    assert "Ikke kommet til samordningen" in page
    assert (await browser(principal("fagperson", "nav")).get(address)).status_code == 404


async def test_names_are_escaped(verden: Verden, browser: Browser) -> None:
    kari = verden.child("<script>alert(1)</script>")
    assert "<script>alert" not in (await browser(LAERER).get(f"/barn/{kari}")).text


def receipt(row: Json, consent: str) -> Json:
    return {
        "id": row["id"],
        "source": row["source"],
        "type": row["type"],
        "tid": row["time"],
        "mottatt": row["recordedtime"],
        "status": "frigitt",
        "grunner": [
            {
                "kode": "samtykke",
                "bestemmelse": "forvaltningsloven-13-a-1",
                "lovversjon": "2026-11-01",
                "samtykke": consent,
            }
        ],
        "publisert": {"topic": "skole.hendelser", "partition": 3, "offset": 4711, "tid": row["mottatt"]},
        "subject": row["subject"],
        "traceparent": row["traceparent"],
    }
