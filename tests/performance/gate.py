"""Rounds that take turns, and the leads that come out of them.

Others on the machine can only slow a round down, never speed it up: so the fastest round of each
contestant counts, in the time of the processor, of which a process that waits uses none. Ours and
the rivals' rounds take turns, so that whatever changes slowly, such as the clock's frequency, hits
all alike. Where a lead falls short, the heat is run again, `HEATS` times at the most, and all
rounds count together: chance is given more of them to find an undisturbed moment, and kernels that
are slow stay slow in all.
"""

import time

ROUNDS = 15
"""In a heat."""

HEATS = 4

ROUNDS_ALONE = 5
"""Of a rival, for its row in the table."""


class Timed:
    """A contestant and its fastest round."""

    def __init__(self, contestant):
        self.contestant = contestant
        self.seconds = float("inf")

    def run(self):
        """Do the work once."""
        start = time.process_time()
        result = self.contestant.run()
        self.seconds = min(self.seconds, time.process_time() - start)
        return result

    def round(self):
        """Do the work once from where it begins."""
        self.contestant.reset()
        return self.run()


class Heat:
    """Rounds of ours and of the rivals, which take turns.

    Parameters
    ----------
    ours : contestant
    rivals : dict of str to contestant
    """

    def __init__(self, ours, rivals):
        self.ours = Timed(ours)
        self.rivals = {name: Timed(rival) for name, rival in rivals.items()}

    def begin_round(self):
        """Let the rivals run, and get ours ready."""
        for rival in self.rivals.values():
            rival.round()
        self.ours.contestant.reset()

    def leads(self):
        """Divide each rival's time by ours.

        Returns
        -------
        dict of str to float
        """
        return {name: rival.seconds / self.ours.seconds for name, rival in self.rivals.items()}

    def repeat(self, least):
        """Run further heats until every lead is large enough, but no more than `HEATS` in all.

        Parameters
        ----------
        least : dict of str to float

        Returns
        -------
        dict of str to float
            See `leads`.
        """
        for _ in range(HEATS - 1):
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
