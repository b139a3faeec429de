import { Column, columns, Injectable } from "./column.js";

interface Shape { a: number }

export class Address {
  @Column street = "";
}

@Injectable
export class Clock {
  now(): Date { return new Date(0); }
}

@Injectable
export class User {
  @Column name!: string;
  @Column address!: Address;
  @Column tags: string[] = [];
  @Column shape: Shape = { a: 1 };
  @Column big = 1n;
  constructor(readonly clock: Clock) {}
  @Injected greet(_name: string, _loud?: boolean): Promise<string> { return Promise.resolve("hi"); }
  fail(): never { throw new Error("at " + String(new Error().stack).split("\n")[1]?.replace(/^.*\//, "")); }
}

function Injected(_target: object, _key: string, _descriptor: PropertyDescriptor): void {}

/** What a container makes. */
export function make<T>(Type: new (...args: never[]) => T): T {
  const needs = (Reflect.getMetadata("design:paramtypes", Type) ?? []) as (new () => object)[];
  return new Type(...(needs.map((need) => make(need)) as never[]));
}

export const describeColumns = (): unknown => columns.map(({ owner, name, type }) => `${owner}.${name}: ${type}`);
export const own = () => new User(new Clock()).fail();
