export class PrivateEngine {
  constructor(dataMiB?: number);
  readonly host: string;
  start(): Promise<void>;
  answers(): Promise<boolean>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  dispose(): Promise<void>;
}
