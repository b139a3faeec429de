export class CaptureError extends Error {}
