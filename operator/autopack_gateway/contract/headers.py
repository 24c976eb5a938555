"""Headers of the gateway's own answers."""

ASK_AGAIN = "Autopack-Ask-Again"
"""`1` where the same request may soon get another answer: no grant yet, or a gateway that is not the active one."""
