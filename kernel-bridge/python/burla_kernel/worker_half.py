# Runs on the worker. The text of this file is executed in a namespace of no module, so that cloudpickle sends its functions
# by value: a worker has no module of this package.

def starred(function):
    """For `map(f, xs, ys)`: an input is the arguments of one call."""

    def call(arguments):
        return function(*arguments)

    return call


def keeping(cell, bound, is_async):
    """The cell as a function that returns what it made: its value, and what it has done to the names of the session."""

    def prepared():
        from burla_protocol.made import Before

        # IPython has it among the builtins.
        cell.__globals__.setdefault("display", lambda *values, **_options: print(*values))
        return Before(cell.__globals__)

    def run(_input):
        before = prepared()
        return before.pack(cell(), bound)

    async def run_async(_input):
        before = prepared()
        return before.pack(await cell(), bound)

    return run_async if is_async else run
