"""Refusals as RFC 9457 has them."""

import importlib
import pkgutil

import pytest

import accounts
import api
import pos
import receipts
from infra.google_wallet import GoogleWalletDown
from infra.pass_signer import PassesUnsigned
from infra.storage import StorageDown
from kernel import errors
from kernel.errors import FieldError, Invalid, Problem, in_words, pointer_part


def every_problem(kind: type[Problem] = Problem) -> list[type[Problem]]:
    return [kind, *(deeper for each in kind.__subclasses__() for deeper in every_problem(each))]


for package in (accounts, receipts, pos, api):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
KINDS = every_problem()


# What is wrong with a storage or a wallet is for its operator, and not for whoever asks.
SILENT = (StorageDown, GoogleWalletDown, PassesUnsigned)
TELLING = [kind for kind in KINDS if not issubclass(kind, SILENT)]


@pytest.mark.parametrize("kind", TELLING, ids=lambda kind: kind.__name__)
def test_a_problem_says_its_type_title_and_status(kind: type[Problem]) -> None:
    body = kind("Because").as_json()
    assert body == {
        "type": f"urn:counterfoil:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": "Because",
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_problem_is_an_error_of_the_caller_or_of_the_service(kind: type[Problem]) -> None:
    assert 400 <= kind.status < 600
    assert kind.title.strip(".") == kind.title


def test_no_two_problems_share_a_slug() -> None:
    slugs = [kind.slug for kind in KINDS]
    assert len(set(slugs)) == len(slugs)


def test_fields_at_fault_are_listed() -> None:
    problem = Invalid(errors=[FieldError("/total", "is missing"), FieldError("header:Idempotency-Key", "is too long")])
    assert problem.as_json()["errors"] == [
        {"pointer": "/total", "detail": "is missing"},
        {"pointer": "header:Idempotency-Key", "detail": "is too long"},
    ]


def test_a_problem_without_words_has_its_title() -> None:
    assert str(errors.NotFound()) == "There is nothing here"
    assert "detail" not in errors.NotFound().as_json()


def test_a_refusal_in_words_says_what_it_is_and_then_each_field() -> None:
    assert in_words(Invalid("No.", errors=[FieldError("/total", "is missing")])) == ["No.", "/total is missing"]
    assert in_words(Invalid()) == ["The request is not valid"]


def test_the_name_of_a_member_cannot_be_taken_for_a_path() -> None:
    assert pointer_part("a/b~1") == "a~1b~01"
