/** Every cap of the system, with its unit in its name. A number that is not here is not a cap. */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Largest frame accepted on any connection. A value above it is refused by the client before it is sent. */
export const MAX_FRAME_BYTES = 512 * MiB;
/** Largest header (envelope) of a frame: a results header of `MAX_CHUNK_INPUTS` failed inputs stays far below. */
export const MAX_HEADER_BYTES = 1 * MiB;
/** A chunk is closed when its inputs pass this size. One larger input travels alone. */
export const TARGET_CHUNK_BYTES = 256 * KiB;
/** Inputs in one chunk: at a microsecond a call this is 8 ms of work, more only delays the first result. */
export const MAX_CHUNK_INPUTS = 8192;
/** Inputs of one job that may be in the cluster and not yet taken by the consumer of the generator. */
export const MAX_WINDOW_INPUTS = 65_536;
/** Their bytes, counted as inputs on the way in and as results on the way out. */
export const MAX_WINDOW_BYTES = 32 * MiB;
/** Largest blob that is put by itself. */
export const MAX_BUNDLE_BYTES = 64 * MiB;
/** A function with all that it has captured. */
export const MAX_FUNCTION_BYTES = 128 * MiB;
/** Names and values of the variables that a job gives its calls, the whole environment of its caller among them. */
export const MAX_ENVIRONMENT_CHARACTERS = 512 * KiB;
/** Linux gives one process no more than this for one variable. */
export const MAX_VARIABLE_CHARACTERS = 128 * KiB;
/** A body is handed to a socket in pieces of this size, as the socket takes them: a hundred slow peers cost this much each, and not the body. */
export const PIECE_BYTES = 256 * KiB;
/** Bytes that a connection hands to its socket before the peer has taken some of them. */
export const MAX_IN_SOCKET_BYTES = 1 * MiB;
/** A worker begins no further call when so many of its answers wait for its node. */
export const MAX_WAITING_ANSWER_BYTES = 16 * MiB;
/** A node hears no more of its workers while so much of what they have answered and printed waits for main to store it, until half of that has gone. */
export const MAX_UNSTORED_BYTES = 64 * MiB;
/** Results wait on the disk when so much waits for the client's socket. */
export const MAX_WAITING_RESULT_BYTES = 4 * MiB;
/** Longer bodies of records are not read as a whole, but sent from the disk. */
export const MAX_WHOLE_BODY_BYTES = 1 * MiB;
/** Files of jobs that main holds open at the same time; the others are opened when they are used. */
export const MAX_OPEN_LOGS = 64;
/** Log lines of one worker: sustained rate, burst, and the length of one line. Beyond it lines are dropped and counted. */
export const LOG_LINES_PER_SECOND = 20_000;
export const LOG_BURST_LINES = 200_000;
export const MAX_LOG_LINE_BYTES = 16 * KiB;
/** The log kept for `burla logs`, for one job. */
export const MAX_JOB_LOG_BYTES = 64 * MiB;
/** Lines that wait for a peer that does not take them: beyond it, lines are dropped and counted. */
export const MAX_WAITING_LOG_BYTES = 8 * MiB;
/** Workers that one input may end before it is given up. */
export const MAX_WORKER_LOSSES = 3;
/** Depth of jobs started by functions of jobs. */
export const MAX_NESTING = 8;
/** Stack text and message of one error in its envelope. */
export const MAX_ERROR_TEXT_BYTES = 64 * KiB;
/** `cause` chains and `AggregateError` members deeper than this are cut. */
export const MAX_ERROR_DEPTH = 8;
/** What an error carries beyond its text: what is deeper, */
export const MAX_DETAIL_DEPTH = 100;
/** or one of more parts, of something that cannot be copied as a whole, travels as a text. */
export const MAX_DETAIL_PARTS = 2000;
/** Errors in one envelope, causes and members together: beyond it members are cut. */
export const MAX_ERRORS_IN_ENVELOPE = 1000;

/** A node renews its leases this often, */
export const LEASE_RENEW_MS = 2_000;
/** and loses them when it has not for this long. */
export const LEASE_MS = 10_000;
/** A peer that has been silent for this long is taken for dead; it pings at a third of it. */
export const CONNECTION_SILENCE_MS = 15_000;
/**
 * A client on another machine may say nothing for this long: its program computes, or its machine sleeps. One on main's
 * machine lives as long as its socket.
 */
export const REMOTE_CLIENT_SILENCE_MS = 120_000;
/** Positions (of a consumer, of what is on disk) are told no more often at first, and later. */
export const POSITION_PACE = { minMs: 20, maxMs: 200 };
/** The job of a client that went away stops running after this long, and may then be attached to. */
export const CLIENT_GRACE_MS = 5_000;
/** A watcher of the cluster is told of changes no more often; what changes in between is told once, as it is by then. */
export const WATCH_EVERY_MS = 100;
/** A watcher hears at least this often that the cluster is there; after three silent times it may take it for gone. */
export const WATCH_HEARTBEAT_MS = 5_000;
/** Programs that watch one cluster at the same time; */
export const MAX_WATCHERS = 100;
/** those of one person beside the owner; */
export const MAX_WATCHERS_OF_PERSON = 20;
/** those of all people beside the owner: the owner always finds a place. */
export const MAX_WATCHERS_OF_OTHERS = MAX_WATCHERS - MAX_WATCHERS_OF_PERSON;
/** Connections and requests that one person beside the owner has open at main, */
export const MAX_CONNECTIONS_OF_PERSON = 250;
/** the functions of one job, each of which may start jobs of its own, */
export const MAX_CONNECTIONS_OF_JOB = 5_000;
/** and all of those together. */
export const MAX_CONNECTIONS_OF_OTHERS = 10_000;
/** Connections to main that have not said yet whose they are: beyond it the one that has waited longest is closed. */
export const MAX_UNKNOWN_CONNECTIONS = 1_000;
/** A connection says within this time what it is for, and shows its certificate before. */
export const OPENING_MS = 5_000;
/** A request over HTTP in which nothing moves for this long is closed: its sender or reader is gone. */
export const QUIET_REQUEST_MS = 60_000;
/** Bytes of messages and bodies that have come in part, of one person with all jobs of theirs: the largest message, and some. */
export const MAX_UNFINISHED_BYTES_OF_PERSON = MAX_FRAME_BYTES + 128 * MiB;
/** Those of all people beside the owner together. */
export const MAX_UNFINISHED_BYTES_OF_OTHERS = MAX_UNFINISHED_BYTES_OF_PERSON;
/** Largest event of a watch: a thousand nodes with a few workers each are 1 MiB. */
export const MAX_WATCH_EVENT_BYTES = 64 * MiB;
/** Failed inputs of one job whose errors are kept to be read by people, the first ones; */
export const MAX_KEPT_FAILURES = 100;
/** so many of them are told in the job's summary; */
export const MAX_SUMMARY_FAILURES = 5;
/** and so much of an error's message, and of its stack. */
export const MAX_FAILURE_MESSAGE_LENGTH = 1000;
export const MAX_FAILURE_STACK_LENGTH = 4000;
