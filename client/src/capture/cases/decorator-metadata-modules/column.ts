/** As TypeORM does it: the type is read while the class is being decorated. */
export const columns: { owner: string; name: string; type: string }[] = [];
export function Column(target: object, name: string): void {
  const type = Reflect.getMetadata("design:type", target, name) as { name: string };
  columns.push({ owner: target.constructor.name, name, type: type.name });
}
export function Injectable<T extends new (...args: never[]) => object>(target: T): T {
  Reflect.defineMetadata("injectable", true, target);
  return target;
}
