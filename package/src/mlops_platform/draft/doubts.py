"""What people regret later: one plain line for each column that needs a look."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops_platform.core.text import pluralize
from mlops_platform.draft.guess import Guess
from mlops_platform.draft.roles import repeats
from mlops_platform.ethics.personal import find_personal_data
from mlops_platform.evaluation.metrics import METRICS

ROWS = 10_000  # a sample is enough to see a leak or personal data
LEAK = 0.98  # R2 or ROC AUC of one column alone
CONSTANT = 0.99
CODES = 10
FEW = 30  # rows of a class: fewer than 6 of them are in a test set of a fifth
RARE = 0.02
IN_ORDER = 0.3  # correlation of the target with that of the next row


def find(guesses: list[Guess]) -> list[str]:
    """One line for each doubt, which begins with the column's name."""
    target = next(guess for guess in guesses if guess.role == "target")
    timed = any(guess.role == "time" for guess in guesses)
    lines: list[str] = []
    for guess in guesses:
        if guess.role == "feature":
            lines += [*_leak(guess, target), *_disguise(guess), *_near_constant(guess)]
            lines += _codes(guess)
        if guess.disguised and guess.kind == "date":
            lines.append(f"`{guess.name}`: a date written as a number, such as 20240131")
        if guess.kind in ("text", "category"):
            lines += _personal(guess)
        lines += _groups(guess, timed=timed)
    return [*lines, *_classes(target), *_duplicates(guesses), *_order(guesses, target)]


def _leak(guess: Guess, target: Guess) -> Iterator[str]:
    """A tree on this column alone, tested on rows that it has not seen."""
    known = target.typed.notna()
    inputs = guess.typed[known]
    if guess.kind == "text" or len(inputs) < 40 or guess.distinct < 2:
        return
    if not guess.numeric:
        inputs = pd.Series(pd.factorize(inputs)[0], index=inputs.index)
    table = inputs.astype("float64").fillna(inputs.astype("float64").min() - 1).to_frame()
    truth = target.typed[known]
    if len(table) > ROWS:
        table = table.sample(ROWS, random_state=0)
        truth = truth.loc[table.index]
    if target.numeric:
        tree, folds = DecisionTreeRegressor(random_state=0), KFold(2, shuffle=True, random_state=0)
        score = METRICS["r2"].compute(
            truth.to_numpy(), cross_val_predict(tree, table.to_numpy(), truth, cv=folds)
        )
    else:
        counts = truth.value_counts()
        kept = truth.isin(counts.index[counts >= 10])
        codes = pd.factorize(truth[kept])[0]
        if len(set(codes)) < 2:
            return
        score = METRICS["roc_auc"].compute(
            codes,
            cross_val_predict(
                DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
                table[kept].to_numpy(),
                codes,
                cv=StratifiedKFold(2, shuffle=True, random_state=0),
                method="predict_proba",
            ),
        )
    if score >= LEAK:
        name = "R2" if target.numeric else "ROC AUC"
        yield (
            f"`{guess.name}`: gives `{target.name}` alone ({name} {score:.2f}): is it known before "
            "the target is? If not, write `role: ignored`"
        )


def _disguise(guess: Guess) -> Iterator[str]:
    if guess.disguised:
        yield f"`{guess.name}`: a date written as a number, such as 20240131"
    elif guess.kind == "integer" and guess.distinct == len(guess.typed):
        yield (
            f"`{guess.name}`: all {guess.distinct} whole numbers differ: an id? Then write "
            "`role: id` or `role: ignored`"
        )


def _near_constant(guess: Guess) -> Iterator[str]:
    counts = guess.present.value_counts()
    if len(counts) > 1 and (share := counts.iloc[0] / len(guess.present)) >= CONSTANT:
        yield f"`{guess.name}`: is the same in {share:.1%} of the rows: nothing to learn from"


def _codes(guess: Guess) -> Iterator[str]:
    if guess.kind != "integer" or not 3 <= guess.distinct <= min(CODES, len(guess.present) / 10):
        return
    counted = guess.present.min() == 0 and guess.present.max() == guess.distinct - 1
    if not counted:  # a count begins at 0 and leaves nothing out
        yield (
            f"`{guess.name}`: only {guess.distinct} whole numbers: a code? If their order means "
            "nothing, write `kind: category` and its `values`"
        )


def _personal(guess: Guess) -> Iterator[str]:
    """The kinds of what looks personal, never the data itself."""
    text = pd.Series(guess.present.unique()[:ROWS]).astype(str)
    found = [kind for value in text for kind in find_personal_data(value)]
    if found:
        kinds = " and ".join(sorted(set(found)))
        yield (
            f"`{guess.name}`: {pluralize(len(found), 'value')} with {kinds}: take personal data "
            "out of the file before it goes into git"
        )


def _groups(guess: Guess, *, timed: bool) -> Iterator[str]:
    """A column whose values repeat; `timed` if the draft splits by time."""
    if not repeats(guess):
        return
    counted = f"`{guess.name}`: {guess.distinct} values in {len(guess.present)} rows"
    torn = "rows of one fall into training and test"
    if guess.role != "group":
        yield f"{counted}: {torn}. `role: group` is for one column: rather for this one?"
    elif timed:
        yield (
            f"{counted}: {torn}, in order of time. Is the model for new ones? Then write "
            "`by: group` into conf/train.yml"
        )
    else:
        yield (
            f"{counted}: rows of one stay in one part (`by: group`). If they are no more alike "
            "than others, write `role: ignored`, and `by: random` into conf/train.yml"
        )


def _classes(target: Guess) -> Iterator[str]:
    if target.kind != "category":
        return
    for label, count in target.present.value_counts().items():
        share = count / len(target.present)
        if count < FEW or share < RARE:
            yield (
                f"`{target.name}`: only {pluralize(int(count), 'row')} ({share:.1%}) with "
                f"'{label}': too few to learn and to measure; add rows or join classes"
            )


def _duplicates(guesses: list[Guess]) -> Iterator[str]:
    """More equal rows than chance gives (the birthday problem, columns taken as independent)."""
    table = pd.DataFrame({guess.name: guess.typed for guess in guesses if guess.role != "id"})
    same = int(table.duplicated().sum())
    pairs = len(table) * (len(table) - 1) / 2
    counts = [table[name].value_counts(dropna=False).to_numpy(dtype="float64") for name in table]
    expected = pairs * float(np.prod([(each * (each - 1)).sum() / 2 / pairs for each in counts]))
    if same > 10 * expected:
        yield (
            f"`{'`, `'.join(list(table)[:3])}` and so on: {pluralize(same, 'row')} equal to an "
            "earlier one but for the id: drop them in select() of data.py, or they are in training "
            "and test"
        )


def _order(guesses: list[Guess], target: Guess) -> Iterator[str]:
    """Rows beside each other that are alike where no column says the time."""
    if any(guess.role == "time" for guess in guesses):
        return  # the draft splits by it
    numbers = target.typed if target.numeric else pd.Series(pd.factorize(target.typed)[0])
    if len(numbers) < 40 or numbers.nunique() < 2:
        return
    alike = numbers.autocorr(1)
    if alike >= IN_ORDER:
        yield (
            f"`{target.name}`: rows beside each other are alike (correlation {alike:.2f}): sorted, "
            "or in order of time? A random split then looks too good. Add the time as a column"
        )
