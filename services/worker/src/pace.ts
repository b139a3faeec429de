/** When a worker speaks. Workers for Python keep to the same numbers: `python/burla_worker/pace.py`, which a test compares. */

/**
 * Results wait for company for a tenth of the time that the worker has worked for its job, between these. A message
 * costs main and node 0.4 ms of processor time each, on two cores whose workers it interrupts.
 */
export const MIN_FLUSH_MS = 2;
export const MAX_FLUSH_MS = 100;
export const FLUSH_SHARE = 0.1;
/** With this much work left the worker says how far it is: the next grant is here when it comes to its end. */
export const LEAD_MS = 3;
/** A grant that runs longer gives back what it has not begun: its calls take longer than main thought. */
export const GIVE_BACK_MS = 250;
/** The node is told so often that there are lines, also out of the middle of a call. It looks once more when twice the time has passed. */
export const ANNOUNCE_MS = 50;
/** The files of native output are looked at after each of so many calls, and after any call once something was found. */
export const WATCHED_CALLS = 64;
/** A file is emptied when it has grown beyond this. */
export const TRUNCATE_BYTES = 1 << 20;
/** Of one burst of native output, this much is read; the rest is counted as dropped. */
export const NATIVE_READ_BYTES = 1 << 20;
/** Of a line that is written over, as a bar of progress is, a state is sent this often, */
export const UPDATE_MS = 500;
/** and so much of it. */
export const UPDATE_CHARACTERS = 1024;
