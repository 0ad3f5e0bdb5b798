"""The view actions of the deck: moving, finding, marking, freezing. Nothing here writes to the server."""

from __future__ import annotations

from taskdeck.domain.event_query import EVERYTHING
from taskdeck.tui.actions import BY_ID
from taskdeck.tui.format import clip, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.attention import next_problem
from taskdeck.tui.model.saved import SHIPPED, View
from taskdeck.tui.model.timeline import MINUTE_MS
from taskdeck.tui.screens.lists import Lists


class Views(Lists):
    """What a key of scope `view` or `move` does; one method per action id."""

    def run(self, action: str) -> None:
        """Do a view action by its id."""
        if action.startswith("pane-"):
            self.screen.show_pane(int(action[-1]))
            return
        if action.startswith("view-"):
            self.show_view(self.screen.saved.all()[int(action[-1]) - 1])
            return
        getattr(self, action.replace("-", "_"))()

    # -- moving ----------------------------------------------------------------------------------------------

    def down(self) -> None:
        self.screen.pane.move(1)

    def up(self) -> None:
        self._older()
        self.screen.pane.move(-1)

    def top(self) -> None:
        self.screen.pane.move_to(0)

    def end(self) -> None:
        self.screen.pane.move_to(self.screen.pane.row_count() - 1)

    def half_down(self) -> None:
        self.screen.pane.page(0.5)

    def half_up(self) -> None:
        self.screen.pane.page(-0.5)

    def page_down(self) -> None:
        self.screen.pane.page(1)

    def page_up(self) -> None:
        self._older()
        self.screen.pane.page(-1)

    def _older(self) -> None:
        """At the first event that is known, read what was before it."""
        if self.screen.active == 4 and self.screen.events.index == 0:
            self.screen.reading.look_back()

    def next_section(self) -> None:
        if self.screen.active == 5:
            self.screen.detail.step_section(1)
        elif self.screen.active == 1:
            self.screen.queue.scroll_columns(1)

    def previous_section(self) -> None:
        if self.screen.active == 5:
            self.screen.detail.step_section(-1)
        elif self.screen.active == 1:
            self.screen.queue.scroll_columns(-1)

    def next_pane(self) -> None:
        self.screen.step_pane(1)

    def previous_pane(self) -> None:
        self.screen.step_pane(-1)

    def back(self) -> None:
        if not self.screen.looking.go_back():
            self.screen.tell("nothing was looked at before this", "refused")

    def zoom(self) -> None:
        self.screen.zoomed = not self.screen.zoomed
        self.screen.place_panes()

    # -- finding ---------------------------------------------------------------------------------------------

    def filter(self) -> None:
        self.screen.typed_line.ask_filter()

    def command(self) -> None:
        self.screen.typed_line.ask_command()

    def problem(self) -> None:
        screen = self.screen
        screen.model.refresh_problems()
        found = next_problem(screen.model.problems, screen.problem)
        if found is None:
            screen.problem = None
            screen.tell("nothing needs you")
            return
        screen.problem = found.task
        total = len(screen.model.problems)
        place = screen.model.problems.index(found) + 1
        screen.go_to(found.task)
        act = BY_ID[found.act]
        head, helps = f"▲ {place}/{total} {found.key}: ", f" · {key(act.id)} {act.word}"
        room = max(20, screen.size.width - 3 - len(head) - len(helps))
        screen.tell(f"{head}{clip(found.reason, room)}{helps}", "refused")

    def snooze(self) -> None:
        self.screen.tell(":snooze 30m lets the problem of this task rest for so long", "refused")

    def show_view(self, view: View) -> None:
        """View the queue as a saved view has it."""
        screen = self.screen
        screen.typed_line.filter(view.query, final=True, sort=view.sort)
        if view not in SHIPPED:
            screen.looking.show_columns(None if view.columns is None else frozenset(view.columns))
        if view.pane != 1 or screen.active not in (1, 5):
            screen.show_pane(view.pane)

    # -- knowing ---------------------------------------------------------------------------------------------

    def show_detail(self) -> None:
        """Enter: the task; from a worker, its tasks; from an event, its task."""
        screen = self.screen
        if screen.active == 3:
            worker = screen.worker_list.current
            if worker is not None:
                self.screen.typed_line.filter(f'holder:"{worker.id}"', final=True)
                screen.show_pane(1)
            return
        row = screen.current()
        if screen.active == 4:
            event = screen.events.current
            if screen.events.turn() or event is None or event.task is None:
                return
            if not screen.queue.select(event.task):
                screen.reading.look_up(event.task)
                return
            row = screen.queue.current
        if row is not None:
            screen.open_task(row)

    def why(self) -> None:
        if self.screen.hints.message and self.screen.failure:
            self.failure(self.screen.failure)
            return
        self.show_detail()
        self.screen.reading.show("why")

    def copy(self) -> None:
        row = self.screen.current()
        if row is not None:
            self.screen.app.copy_to_clipboard(row.key)
            self.screen.tell(f"{clip(row.key, 40)} is on the clipboard, where the terminal allows it")

    # -- out of the dashboard --------------------------------------------------------------------------------

    def export(self) -> None:
        self.screen.outside.export("")

    def screenshot(self) -> None:
        self.screen.outside.screenshot("")

    def connect(self) -> None:
        self.screen.outside.connect("")

    def demo(self) -> None:
        self.screen.outside.demo()

    def log(self) -> None:
        self.screen.outside.log()

    # -- marks and rest --------------------------------------------------------------------------------------

    def mark(self) -> None:
        screen = self.screen
        row = screen.queue.current if screen.active == 1 else screen.current()
        if row is None:
            return
        if not screen.model.marks.toggle(row):
            screen.tell("no more than 500 tasks can be marked", "refused")
            return
        screen.model.changed()
        screen.pane.move(1)
        screen.redraw()

    def mark_down(self) -> None:
        self._mark_on(1)

    def mark_up(self) -> None:
        self._mark_on(-1)

    def _mark_on(self, step: int) -> None:
        screen = self.screen
        screen.show_pane(1)
        here = screen.queue.current
        screen.queue.move(step)
        rows = [row for row in (here, screen.queue.current) if row is not None]
        if not screen.model.marks.add(rows):
            screen.tell("no more than 500 tasks can be marked", "refused")
        screen.model.changed()
        screen.redraw()

    def mark_range(self) -> None:
        screen = self.screen
        screen.show_pane(1)
        last = max((at for row in screen.model.marks if (at := screen.model.window.find(row.id)) is not None
                    and row.id == screen.model.marks.newest), default=screen.queue.index)  # fmt: skip
        first, end = sorted((last, screen.queue.index))
        rows = [row for at in range(first, end + 1) if (row := screen.model.row_at(at)) is not None]
        if not screen.model.marks.add(rows):
            screen.tell("no more than 500 tasks can be marked", "refused")
        screen.model.changed()
        screen.redraw()

    def unmark(self) -> None:
        self.screen.model.marks.clear()
        self.screen.model.changed()
        self.screen.redraw()

    def freeze(self) -> None:
        model = self.screen.model
        if model.past is not None:
            self.screen.tell(f"the past stands still by itself; {key('past')} returns to now", "refused")
            return
        if not model.frozen:
            model.freeze()
        elif model.thaw():
            self.screen.tell("the view moves again")
        else:
            self.screen.feed.resync()
        self.screen.redraw()

    def follow(self) -> None:
        self.screen.events.follow()

    def peel(self) -> None:
        """Escape: message, zoom, task pane, marks, filter; one at a time."""
        screen = self.screen
        if screen.travel.stop():
            screen.tell("the present stays")
        elif screen.acting.operator.stop() or screen.outside.stop():
            screen.tell("stopping …")
        elif screen.hints.message:
            screen.hints.say(())
        elif screen.zoomed:
            self.zoom()
        elif screen.active == 4 and screen.events.fold():
            pass
        elif screen.active == 4 and screen.model.events.query.terms:
            screen.looking.choose_events(EVERYTHING)
        elif screen.active == 5:
            screen.show_pane(screen.before_task)
        elif screen.task_open:
            screen.task_open = False
            screen.place_panes()
        elif screen.model.marks:
            number = len(screen.model.marks)
            self.unmark()
            screen.tell(f"{plural(number, 'mark')} taken off")
        elif screen.model.window.filter.terms:
            screen.looking.unfilter()
        elif screen.model.past is not None:
            screen.travel.leave()
        screen.redraw()

    # -- the past --------------------------------------------------------------------------------------------

    def past(self) -> None:
        self.screen.travel.toggle()

    def earlier(self) -> None:
        self.screen.travel.step(-1)

    def later(self) -> None:
        self.screen.travel.step(1)

    def minute_earlier(self) -> None:
        self.screen.travel.shift(-MINUTE_MS)

    def minute_later(self) -> None:
        self.screen.travel.shift(MINUTE_MS)

    # -- the application -------------------------------------------------------------------------------------

    def theme(self) -> None:
        self.screen.choose_theme("")

    def resync(self) -> None:
        lost = self.screen.live.link.state == "lost"
        whole = self.screen.model.thaw() if self.screen.model.frozen else True
        if lost and whole:
            self.screen.feed.try_now()
        else:
            self.screen.feed.resync()
        self.screen.tell("trying now" if lost else "loading everything anew")

    def help(self) -> None:
        self.screen.show_help()

    def suspend(self) -> None:
        if self.screen.serving:
            self.screen.tell("this process also serves the deck: put aside, it would answer nobody", "refused")
        elif self.screen.app.is_headless:
            self.screen.tell("there is no shell to go to", "refused")
        else:
            self.screen.app.action_suspend_process()

    def quit(self) -> None:
        self.screen.acting.leave()
