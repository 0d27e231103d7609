"""Pages of the rules: the list, publications, drafts, the simulator. For the vendor's people."""

from __future__ import annotations

from django.urls import path

from claims.web import rules, rules_drafts, rules_edit, rules_publications, rules_simulator

DRAFT = "drafts/<int:draft_id>"

urlpatterns = [
    path("", rules.rules, name="rules"),
    path("publications/", rules_publications.publication_list, name="rules-publications"),
    path("publications/<int:publication_id>/", rules_publications.publication_page, name="rules-publication"),
    path(
        "publications/<int:publication_id>/catalog.toml",
        rules_publications.publication_file,
        name="rules-publication-file",
    ),
    path("simulator/", rules_simulator.simulator, name="rules-simulator"),
    path("drafts/new/", rules_drafts.draft_new, name="rules-draft-new"),
    path(f"{DRAFT}/", rules_drafts.draft_page, name="rules-draft"),
    path(f"{DRAFT}/file/", rules_drafts.draft_file, name="rules-draft-file"),
    path(f"{DRAFT}/pick/", rules_edit.pick_rule, name="rules-draft-pick"),
    path(f"{DRAFT}/act/<slug:act>/", rules_drafts.draft_act, name="rules-draft-act"),
    path(f"{DRAFT}/new-rule/", rules_edit.draft_rule_new, name="rules-draft-rule-new"),
    path(f"{DRAFT}/rule/<str:code>/", rules_edit.draft_rule, name="rules-draft-rule"),
    path(f"{DRAFT}/rule/<str:code>/end/", rules_edit.draft_rule_end, name="rules-draft-rule-end"),
    path(f"{DRAFT}/rule/<str:code>/restore/", rules_edit.draft_rule_restore, name="rules-draft-rule-restore"),
    path("rule/<str:code>/", rules.rule_page, name="rules-rule"),
]
