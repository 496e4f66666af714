from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness import reporting
from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import html_report

VOID = {"meta", "input", "br", "wbr"}


class Page(HTMLParser):
    """Tags with attributes, the text below each script and style, and elements left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.raw[self.open[-1]] = data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def text(results: Results, tmp_path: Path) -> str:
    reporting.write(results, "html", tmp_path / "report.html")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def page(text: str) -> Page:
    return Page(text)


def test_elements_are_closed_and_ids_unique(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_links_lead_to_places_in_the_page(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert all(str(link["href"]).startswith("#") and str(link["href"])[1:] in ids for link in page.named("a"))


def test_no_markup_comes_from_untrusted_text(page: Page, text: str) -> None:
    assert len(page.named("script")) == 1
    assert not page.named("img")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)


def test_nothing_is_loaded(page: Page, text: str) -> None:
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "action"} & set(attributes)
    assert not re.search(r"(https?:)?//\w|url\(|@import", page.raw["style"] + page.raw["script"].replace("// The", ""))
    assert "<link" not in text


def test_the_policy_names_the_hashes_of_style_and_script(page: Page) -> None:
    policy = next(m["content"] for m in page.named("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_failures_come_first_and_all_of_them(text: str, results: Results) -> None:
    order = [text.index(f'<h2 id="{part}"') for part in ("failures", "errata", "deviations", "unavailable", "matrix")]
    assert order == sorted(order)
    table = text[order[0] : order[1]]
    failed = [verdict for verdict in results.verdicts if verdict.verdict.failed]
    assert len(re.findall(r'<tr data-v="', table)) == len(failed)
    assert "every digit of the truth is lost" in table
    assert text.index('<h2 id="matrix"') < text.index("<details")


def test_the_head_says_what_truth_is_and_what_is_missing(text: str) -> None:
    head = text[: text.index("<main>")]
    assert "a float64 evaluation (not certified)" in head
    assert "Unavailable: the following was not judged at all" in head
    assert "No module named &#39;tensorflow&#39;" in head
    assert "Failed: 11 of 24 verdicts" in head
    assert "tensorflow 2.21.0" in head
    for kind in Kind:
        assert f'class="k k-{kind}"' in head


def case(text: str, name: str) -> str:
    start = text.index(f"<b>{name}</b>")
    return text[start : text.index("</details>", start)]


def test_a_case_shows_values_side_by_side(text: str) -> None:
    shown = case(text, "documents/003:a/float32")
    assert 'title="-0x1.62e148p+4">-22.18<' in shown
    assert "<td>2.33e-10</td>" in shown
    assert re.search(r'class="off" title="0x0p\+0">0<small>✗ -[\d.]+e\+06<', shown)
    assert 'class="off" title="inf">inf<small>✗ +inf<' in shown
    assert "reduction = none" in shown
    assert "cases/documents/003.yaml:12" in shown
    assert 'title="0xff">255<' in shown


def test_a_case_names_who_agrees_and_the_judge_by_tolerance(text: str) -> None:
    shown = case(text, "documents/003:a/float32")
    assert shown.count("no majority") == 3
    assert "passes by atol alone, 24 bits lost" in shown
    assert "plain rtol / atol" in shown
    assert "stated in cases/deviations.yaml:3" in shown


def test_a_case_shows_errors_as_text(text: str) -> None:
    shown = case(text, "documents/003:a/float32")
    assert "<h4>Errors</h4>" in shown
    assert '<code>ValueError</code> <span class="pre">&lt;script&gt;alert(1)' in shown


def test_bfloat16_has_its_shortest_digits(text: str) -> None:
    shown = case(text, "documents/003:a/bfloat16")
    assert 'title="0x1.9ap-4">0.1<' in shown
    assert ">1e+30<" in shown
    assert ">-0<" in shown


def test_long_arrays_are_cut_and_say_so(text: str) -> None:
    shown = case(text, "found/y:y")
    assert "... 976 more" in shown
    assert "... 976 elements more" in shown


def test_passing_cases_beyond_the_limit_are_only_counted(many: Callable[..., Results], tmp_path: Path) -> None:
    reporting.write(many(html_report.PASSING + 7, Kind.PASS), "html", tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert text.count('<details class="case') == html_report.PASSING
    assert "the other 7 are counted in the matrix only" in text
    assert f"Passed: no failure in {html_report.PASSING + 7} verdicts" in text
    assert f"{html_report.PASSING + 7}</span>" in text


def test_a_run_of_failures_stays_readable(many: Callable[..., Results], tmp_path: Path) -> None:
    reporting.write(many(html_report.ROWS + 1, Kind.FAIL), "html", tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert text.count('<tr data-v="fail"') == html_report.ROWS
    assert "... and 1 line more" in text
    assert text.count('<details class="case') == html_report.NOTABLE


def test_the_stability_view_says_where_the_worst_errors_are(text: str) -> None:
    table = text[text.index('<h2 id="stability"') : text.index('<h2 id="plots"')]
    assert 'class="k g-inaccurate">1 inaccurate</span>' in table
    assert "logits -22.18, labels 0" in table
    assert '<td data-l="error in B" class="num" data-s="3.0">3</td>' in table
    assert '<td data-l="bits lost" class="num" data-s="24.0">24</td>' in table
    assert "of the wrong class (NaN, infinity" in table


def test_plots_are_drawn_with_names_that_nobody_should_trust(text: str, page: Page) -> None:
    plots = text[text.index('<h2 id="plots"') : text.index('<h2 id="cases"')]
    assert len(page.named("svg")) == 1
    assert re.search(
        r"<title>here: &lt;script&gt;alert\(1\).*: -8\.39e\+06 ulp, .* pass; logits -22.18, labels 0; ", plots
    )
    assert "1 outside" in plots


def test_a_run_without_grades_has_no_stability_view(many: Callable[..., Results], tmp_path: Path) -> None:
    reporting.write(many(3, Kind.CRASH), "html", tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert 'id="stability"' not in text
    assert 'id="plots"' not in text


def test_an_empty_run_has_a_page(results: Results, tmp_path: Path) -> None:
    html_report.write(Results(results.run, [], results.record), tmp_path / "x.html")
    assert "Empty: nothing was judged" in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_scripts_are_text_beside_the_failure_and_the_deviation_that_they_show(results: Results, tmp_path: Path) -> None:
    wrong = [v for v in results.verdicts if v.verdict in (Kind.FAIL, Kind.DEVIATION)]
    failure = next(v for v in wrong if v.verdict is Kind.FAIL)
    deviation = next(v for v in wrong if v.verdict is Kind.DEVIATION)
    other = next(v for v in wrong if v.verdict is Kind.FAIL and v.case.startswith("documents/") and v is not failure)
    scripts = {(v.case, v.subject, v.output): f"print('<b>{v.verdict}</b>')" for v in (failure, deviation)}
    reporting.write(replace(results, scripts=scripts), "html", tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert Page(text).open == []
    for kind, part in ((Kind.FAIL, "failures"), (Kind.DEVIATION, "deviations")):
        table = text[text.index(f'<h2 id="{part}"') :]
        table = table[: table.index("</table>")]
        assert table.count('<details class="script">') == 1
        assert f"print(&#39;&lt;b&gt;{kind}&lt;/b&gt;&#39;)" in table
    assert f"<div>script: <code>harness repro {other.case} " in text[: text.index('<h2 id="errata"')]
