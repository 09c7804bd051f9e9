"""Rounds that take turns, and the leads that come out of them.

Others on the machine can only slow a round down, never speed it up: so the fastest round of each
competitor counts, in the time of the processor, of which a process that waits uses none. Ours and
the rivals' rounds take turns, so that whatever changes slowly, such as the clock's frequency, hits
all alike. Where a lead falls short, all rounds are run again, at most `REPEATS` times, and they
count together: chance is given more of them to find an undisturbed moment, and kernels that
are slow stay slow in all.
"""

import time

ROUNDS = 15

REPEATS = 4
"""How often all rounds are run, where a lead falls short."""

ROUNDS_ALONE = 5
"""Of a rival, for its row in the table."""


class Timed:
    """A competitor and its fastest round."""

    def __init__(self, competitor):
        self.competitor = competitor
        self.seconds = float("inf")

    def run(self):
        """Do the work once."""
        start = time.process_time()
        result = self.competitor.run()
        self.seconds = min(self.seconds, time.process_time() - start)
        return result

    def round(self):
        """Do the work once from where it begins."""
        self.competitor.reset()
        return self.run()


class Rounds:
    """Rounds of ours and of the rivals, which take turns.

    Parameters
    ----------
    ours : competitor
    rivals : dict of str to competitor
    """

    def __init__(self, ours, rivals):
        self.ours = Timed(ours)
        self.rivals = {name: Timed(rival) for name, rival in rivals.items()}

    def begin_round(self):
        """Let the rivals run, and get ours ready."""
        for rival in self.rivals.values():
            rival.round()
        self.ours.competitor.reset()

    def leads(self):
        """Divide each rival's time by ours.

        Returns
        -------
        dict of str to float
        """
        return {name: rival.seconds / self.ours.seconds for name, rival in self.rivals.items()}

    def repeat(self, least):
        """Run all rounds again until every lead is large enough, `REPEATS` times in all.

        Parameters
        ----------
        least : dict of str to float

        Returns
        -------
        dict of str to float
            See `leads`.
        """
        for _ in range(REPEATS - 1):
            if not too_small(self.leads(), least):
                break
            for _ in range(ROUNDS):
                self.begin_round()
                self.ours.run()
        return self.leads()


def too_small(leads, least):
    """Tell which leads are smaller than they must be, a line each.

    Parameters
    ----------
    leads, least : dict of str to float

    Returns
    -------
    str
        Empty where there are none.
    """
    return "\n".join(
        f"the lead over {name} must be at least {least[name]}; got {lead:.3g}"
        for name, lead in leads.items()
        if lead < least.get(name, 0)
    )
