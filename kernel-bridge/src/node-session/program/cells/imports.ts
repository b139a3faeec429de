/** Import declarations of a cell -> calls that import and bind the names in the session. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import { isUsedAsValue } from "./names.ts";
import { SESSION } from "./session-names.ts";

/** One name that an import gives. */
export interface ImportedName {
  /** The export: `default`, `*` for the module itself. */
  readonly exported: string;
  readonly local: string;
  /** Nothing is missing if the module has no such export: it may be a type. */
  readonly isMaybeType: boolean;
}

export interface ImportStatement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Undefined for an import of types alone. */
export function readImport(ts: TypeScript, file: ts.SourceFile, node: ts.ImportDeclaration, resolve: (specifier: string) => string): ImportStatement | undefined {
  const clause = node.importClause;
  if (clause?.isTypeOnly === true) return undefined;
  const names = clause === undefined ? [] : namesOf(ts, file, clause);
  const isTypesAlone = names.length === 0 && clause?.namedBindings !== undefined && ts.isNamedImports(clause.namedBindings) && clause.namedBindings.elements.length > 0;
  if (isTypesAlone) return undefined;
  return importOf(file, node.moduleSpecifier, node.attributes, names, resolve);
}

/** `export { a as b } from "m"` binds as an import does; `export * from "m"` only runs the module. */
export function readReexport(ts: TypeScript, file: ts.SourceFile, node: ts.ExportDeclaration, resolve: (specifier: string) => string): ImportStatement | undefined {
  if (node.moduleSpecifier === undefined || node.isTypeOnly) return undefined;
  const { exportClause } = node;
  const names: ImportedName[] = [];
  if (exportClause !== undefined && ts.isNamedExports(exportClause)) {
    for (const { name, propertyName, isTypeOnly } of exportClause.elements) {
      if (!isTypeOnly) names.push({ exported: (propertyName ?? name).text, local: name.text, isMaybeType: true });
    }
  }
  if (exportClause !== undefined && ts.isNamespaceExport(exportClause)) names.push({ exported: "*", local: exportClause.name.text, isMaybeType: false });
  return importOf(file, node.moduleSpecifier, node.attributes, names.filter(({ local }) => local !== "default"), resolve);
}

function namesOf(ts: TypeScript, file: ts.SourceFile, { name, namedBindings }: ts.ImportClause): ImportedName[] {
  const names: ImportedName[] = [];
  if (name !== undefined) names.push({ exported: "default", local: name.text, isMaybeType: false });
  if (namedBindings === undefined) return names;
  if (ts.isNamespaceImport(namedBindings)) return [...names, { exported: "*", local: namedBindings.name.text, isMaybeType: false }];
  for (const element of namedBindings.elements) {
    if (element.isTypeOnly) continue;
    const local = element.name.text;
    names.push({ exported: (element.propertyName ?? element.name).text, local, isMaybeType: !isUsedAsValue(ts, file, local) });
  }
  return names;
}

function importOf(file: ts.SourceFile, specifier: ts.Expression, attributes: ts.ImportAttributes | undefined, names: readonly ImportedName[], resolve: (specifier: string) => string): ImportStatement {
  const written = (specifier as ts.StringLiteral).text;
  const options = attributes === undefined ? "" : `, { with: ${file.text.slice(attributes.elements.pos - 1, attributes.end)} }`;
  const imported = `await import(${JSON.stringify(resolve(written))}${options})`;
  const text = names.length === 0 ? `;${imported};` : `;${assignments(names)}${SESSION}.imported(${imported}, ${JSON.stringify(written)}, ${JSON.stringify(names)});`;
  return { text, names: names.map(({ local }) => local) };
}

function assignments(names: readonly ImportedName[]): string {
  return `[${names.map(({ local }) => local).join(", ")}] = `;
}
