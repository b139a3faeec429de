"""The functions that are run on every Python system. JavaScript has the same ones in `../js/functions.ts`."""

import os


def noop(value):
    """Returns its input."""
    return value


def busy(iterations):
    """Pure computation: a fixed number of steps, so that a processor shared with others makes it slower."""
    x = 1
    for _ in range(iterations):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def spin(item):
    """Computes for the given number of steps and tells which process did it."""
    index, iterations = item
    return (-1 if busy(iterations) < 0 else index, os.getpid())


def echo(value):
    """Returns a value as large as its input."""
    return bytes([value[0] ^ 1]) + value[1:]


def print_lines(index):
    """Prints ten lines that the harness recognises."""
    for line in range(10):
        print(f"bench-line {index}/{line}")
    return index
