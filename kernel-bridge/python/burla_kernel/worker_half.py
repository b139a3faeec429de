# Runs on the worker. The text of this file is executed in a namespace of no module, so that cloudpickle sends its functions
# by value: a worker has no module of ours.

def starred(function):
    """For `map(f, xs, ys)`: an input is the arguments of one call."""

    def call(arguments):
        return function(*arguments)

    return call


def keeping(cell, names, is_async):
    """The cell as a function that returns what it made: its value, and those of its names that are there."""

    def prepared():
        # IPython has it among the builtins.
        cell.__globals__.setdefault("display", lambda *values, **_options: print(*values))

    def packed(value):
        import cloudpickle

        made = {name: cell.__globals__[name] for name in names if name in cell.__globals__}
        try:
            # Together, so that names that share a value go on sharing it.
            return {"all": cloudpickle.dumps((value, made)), "one": None, "lost": {}}
        except Exception:
            one, lost = {}, {}
            for name, part in [(None, value), *made.items()]:
                try:
                    one[name] = cloudpickle.dumps(part)
                except Exception as error:
                    lost[name] = f"{type(part).__name__}: {error}"[:500]
            return {"all": None, "one": one, "lost": lost}

    def run(_input):
        prepared()
        return packed(cell())

    async def run_async(_input):
        prepared()
        return packed(await cell())

    return run_async if is_async else run
