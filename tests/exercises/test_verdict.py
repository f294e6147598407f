"""What a student writes is judged: right in any honest form, and every mistake told by its name."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from impasto.errors import SettingsError
from impasto.exercises import EXERCISES, check, judge
from impasto.exercises.verdict import _alike, _values_of
from tests.exercises.right import RIGHT
from tests.exercises.wrong import WRONG

EVERY = [(name, number) for name, solutions in WRONG.items() for number in range(len(solutions))]


def named(name: str, function: Any) -> Any:
    function.__name__ = name
    return function


@pytest.mark.parametrize("name", EXERCISES)
def test_twelve_wrong_solutions_of_each_exercise(name: str):
    assert len(WRONG[name]) >= 12
    said = [judge(named(name, solution)).message for _, solution in WRONG[name]]
    assert len(set(said)) == len(said), "each has a message of its own"


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_a_wrong_solution_is_told_by_its_name(name: str, number: int):
    words, solution = WRONG[name][number]
    verdict = judge(named(name, solution))
    assert not verdict.right and not verdict.usable
    assert words in verdict.message


@pytest.mark.parametrize(("name", "number"), [(name, i) for name, forms in RIGHT.items() for i in range(len(forms))])
def test_every_honest_form_is_right(name: str, number: int):
    usable, solution = RIGHT[name][number]
    verdict = judge(named(name, solution))
    assert verdict.right, verdict.message
    assert verdict.usable == usable
    assert usable == (not verdict.message)


@pytest.mark.parametrize("name", EXERCISES)
def test_mistakes_differ_from_what_is_right_and_from_each_other(name: str):
    exercise = EXERCISES[name]
    values = [(exercise.right, ""), *exercise.mistakes]
    found = [(_values_of(formula, exercise), message) for formula, message in values]
    for (a, one), (b, other) in itertools.combinations(found, 2):
        assert not _alike(a, b), f"{one!r} and {other!r} are the same"
    assert len({message for _, message in exercise.mistakes}) == len(exercise.mistakes) >= 12


def test_the_right_functions_are_those_of_the_papers():
    """Against NumPy in float64, and impasto's own costs."""
    from impasto.objective import costs

    a, b = (torch.rand(3, 4, 5, dtype=torch.float64) for _ in range(2))
    right = {name: exercise.right for name, exercise in EXERCISES.items()}
    assert right["content_cost"](a, b).item() == pytest.approx(((a - b).numpy() ** 2).sum() / (4 * 60))
    assert right["content_cost"](a, b).item() == pytest.approx(costs.content_cost(a, b).item())
    rows = a.numpy().reshape(3, 20)
    np.testing.assert_allclose(right["style_matrix"](a).numpy(), rows @ rows.T)
    matrices = [costs.style_matrix(x[None]) for x in (a, b)]
    assert right["layer_style_cost"](a, b).item() == pytest.approx(costs.style_layer_cost(*matrices).item())
    for shape in ((3, 7), (3, 4, 5), (3, 2, 3, 4)):
        x = torch.rand(shape)
        torch.testing.assert_close(right["style_matrix_of_any"](x), costs.style_matrix(x[None]))


def test_check_says_it_and_gives_what_can_be_gone_on_with(capsys: pytest.CaptureFixture[str]):
    def content_cost(a_C: Any, a_G: Any) -> Any:  # noqa: N803
        return F.mse_loss(a_C, a_G)

    assert check(content_cost) is EXERCISES["content_cost"].right
    said = capsys.readouterr().out
    assert said.startswith("✗ content_cost: the 1/4 is missing") and "goes on with impasto's own" in said
    quarter = named("content_cost", lambda c, g: content_cost(c, g) / 4)
    assert check(quarter) is quarter
    assert capsys.readouterr().out == "✓ content_cost is right.\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda a, b: None, "it returns nothing yet"),
        (lambda a, b: ..., "it returns nothing yet"),
        (lambda a: a, "it ends with an error, TypeError: "),
        (lambda a, b: 1 / 0, "it ends with an error, ZeroDivisionError: division by zero"),
        (lambda a, b: "much", "it returns a str; a number or a tensor was expected"),
        (lambda a, b: torch.zeros(2, 2), "it returns the shape (2, 2); of a number was expected"),
        (lambda a, b: (a - b).sum() / 0, "not finite"),
        (lambda a, b: 3 * EXERCISES["content_cost"].right(a, b), "always 3 times what was expected"),
        (lambda a, b: a.sum() + b.max(), "The mistake is none of those known here"),
        (lambda a, b: a.sub_(b).square().sum() / (4 * a.numel()), "it changes what it is given in place"),
    ],
)
def test_what_is_wrong_in_another_way_is_told_too(body: Any, words: str):
    verdict = judge(named("content_cost", body))
    assert not verdict.right and words in verdict.message


def test_an_exercise_that_is_none_is_told():
    with pytest.raises(SettingsError, match="no exercise 'contentcost': did you mean 'content_cost'"):
        judge(named("contentcost", lambda: None))


def test_what_is_not_written_yet_is_no_mistake(capsys: pytest.CaptureFixture[str]):
    assert check(named("total_cost", lambda *_: ...)) is EXERCISES["total_cost"].right
    assert capsys.readouterr().out == "○ total_cost is not written yet: this notebook goes on with impasto's own.\n"
