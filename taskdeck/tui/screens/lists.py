"""The view actions that open a list over the deck: views, projects, figures, problems, acts, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskdeck.tui import sheets
from taskdeck.tui.format import clip
from taskdeck.tui.keymap import key
from taskdeck.tui.model.saved import View
from taskdeck.tui.screens.palette import PaletteScreen
from taskdeck.tui.screens.sorting import SortScreen

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen


class Lists:
    """Opens lists; one method per action id."""

    def __init__(self, screen: DeckScreen) -> None:
        self.screen = screen

    def saved_views(self) -> None:
        screen, saved = self.screen, self.screen.saved
        note = "enter shows · :view save NAME keeps what is shown · :view drop NAME"

        def chosen(name: str | None) -> None:
            view = saved.find(name) if name else None
            if view is not None:
                self.screen.views.show_view(view)

        screen.show_sheet("Views", note, lambda: sheets.views(saved.all(), screen.model), chosen)
        if saved.fault:
            screen.tell(saved.fault, "failed")

    def sort(self) -> None:
        screen = self.screen
        now = screen.model.window.filter.sort
        screen.app.push_screen(SortScreen(screen.frame.palette_of(), now, screen.looking.sort_by))

    def reverse(self) -> None:
        screen = self.screen
        now = screen.model.window.filter.sort
        if not now.field:
            screen.tell(f"the usual order has no other end; {key('sort')} chooses another", "refused")
        else:
            screen.looking.sort_by(now.reversed())

    def columns(self) -> None:
        screen = self.screen

        def turn(name: str) -> None:
            screen.looking.show_columns(sheets.turned(screen.queue.chosen, name))

        screen.show_checks(
            "Columns", "space shows or hides · :columns usual",
            lambda: sheets.columns(screen.queue.chosen, screen.queue.shown()), turn,
        )  # fmt: skip

    def projects(self) -> None:
        screen = self.screen
        screen.model.stale_projects = True
        screen.feed.poke()

        def chosen(name: str | None) -> None:
            if name:
                self.screen.views.show_view(View(name, f'project:"{name}"'))

        note = f"enter filters by it · {key('pause')} on a task pauses its project"
        screen.show_sheet("Projects", note, lambda: sheets.projects(screen.model), chosen, at=1)

    def metrics(self) -> None:
        screen = self.screen
        screen.reading.read_hour()
        screen.show_sheet("Metrics", "of the present", lambda: sheets.metrics(screen.live), lambda _: None)

    def actions(self) -> None:
        screen = self.screen
        row = screen.current()
        name = f"Actions on {clip(row.key, 16)}" if row else "Actions"

        def chosen(action: str | None) -> None:
            if action is not None:
                screen.act(action)

        screen.show_sheet(name, "enter does it", lambda: sheets.actions(row, screen.model, screen.keys), chosen)

    def problems(self) -> None:
        screen = self.screen
        screen.model.refresh_problems()
        screen.show_sheet(
            "Needs you", "most urgent first · enter goes there", lambda: sheets.problems(screen.model),
            lambda task: screen.go_to(task) if task else None,
        )  # fmt: skip

    def results(self) -> None:
        screen, outcomes = self.screen, self.screen.acting.operator.results
        done = sum(outcome.tone == "done" for outcome in outcomes)
        note = f"{done} of {len(outcomes)} done · y copies all"
        text = "\n".join("\t".join(outcome) for outcome in outcomes)
        screen.show_sheet("Results", note, lambda: sheets.results(outcomes), lambda _: None, text=text)

    def palette(self) -> None:
        screen = self.screen
        screen.app.push_screen(
            PaletteScreen(screen.frame.palette_of(), screen.keys.shown, screen.refusal_of),
            lambda action: screen.act(action) if action else None,
        )

    def failure(self, text: str) -> None:
        """The message that stands, whole."""
        lines = sheets.failure(text, min(110, self.screen.size.width) - 6)
        self.screen.show_sheet("What went wrong", "y copies it", lambda: lines, lambda _: None, text=text)

    def copy_as(self) -> None:
        screen = self.screen
        row = screen.current()
        if row is not None:
            lines = sheets.copies(row, screen.model.address)
            screen.show_sheet(
                f"Copy {clip(row.key, 16)} as", "enter copies", lambda: lines,
                lambda way: screen.reading.copy(row, way) if way else None,
            )  # fmt: skip

    def machinery(self) -> None:
        self.screen.reading.show_machinery()

    def mark_all(self) -> None:
        self.screen.reading.mark_all()
