/** Of jobs: they share two cores with everything else. */
export const JOB_TIMEOUT_MS = 120_000;
