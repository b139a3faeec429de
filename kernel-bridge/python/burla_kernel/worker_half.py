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

        return Before(cell.__globals__)

    def run(_input):
        before = prepared()
        return before.pack(cell(), bound)

    async def run_async(_input):
        before = prepared()
        return before.pack(await cell(), bound)

    return run_async if is_async else run


def called(call):
    """For a pool: an input is a function and its arguments."""
    function, arguments, options = call
    return function(*arguments, **options)


def applied(function):
    """For `apply` of pandas: an input is a value, the name of its group, and further arguments."""

    def call(noted):
        value, group, arguments, options = noted
        for name in group:
            object.__setattr__(value, "name", name)
        return function(value, *arguments, **options)

    return call


def collecting(turn, definite, possible, is_async):
    """A turn of a loop: what it has collected, what its variables are, and which of those cannot travel.

    Those that each turn assigns are sent by the last one only.
    """

    def packed(is_last, made):
        import cloudpickle

        collected, names = made
        kept, lost = {}, []
        for name in (*(definite if is_last else ()), *possible):
            if name not in names:
                continue
            try:
                cloudpickle.loads(cloudpickle.dumps(names[name]))
                kept[name] = names[name]
            except Exception as error:
                if is_last:
                    lost.append((name, f"{type(error).__name__}: {error}"))
        return collected, kept, lost

    def run(given):
        is_last, values = given
        return packed(is_last, turn(values))

    async def run_async(given):
        is_last, values = given
        return packed(is_last, await turn(values))

    return run_async if is_async else run


def showing(function, importer, uses_ipython, is_async):
    """What a call displays goes back with its result, each object as a pickle of its own: the kernel shows it."""

    def places():
        """Where user code finds `display`: IPython has it among the builtins."""
        import builtins

        found = [vars(builtins)]
        if uses_ipython:
            import IPython.display

            found.append(vars(IPython.display))
        if importer is not None:
            found.append(importer.__globals__)
        return found

    def begun():
        import cloudpickle

        shown = []

        def display(*values, **options):
            for value in values:
                try:
                    shown.append(cloudpickle.dumps((value, options)))
                except Exception:
                    print(repr(value))

        there = [(place, place.get("display")) for place in places()]
        for place, _before in there:
            place["display"] = display
        return shown, there

    def ended(there):
        for place, before in there:
            if before is None:
                del place["display"]
            else:
                place["display"] = before

    def told(value, shown):
        # As `displays.py` knows it.
        return ("__burla_shown__", value, shown) if shown else value

    def failed(error, shown):
        try:
            error.__burla_shown__ = shown
        except Exception:
            # A class with slots has no room for it.
            pass

    def call(given):
        shown, there = begun()
        try:
            return told(function(given), shown)
        except Exception as error:
            failed(error, shown)
            raise
        finally:
            ended(there)

    async def call_async(given):
        shown, there = begun()
        try:
            return told(await function(given), shown)
        except Exception as error:
            failed(error, shown)
            raise
        finally:
            ended(there)

    return call_async if is_async else call
