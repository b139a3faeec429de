/** Turns a row into what the editor draws. */
import * as vscode from "vscode";
import { spokenRow, type Row } from "../view/row.ts";

const COLLAPSE = {
  no: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
};

export function treeItem(row: Row, command?: vscode.Command): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, COLLAPSE[row.expandable]);
  item.id = row.id;
  item.description = row.description;
  item.tooltip = row.tooltip === "" ? undefined : new vscode.MarkdownString(row.tooltip);
  item.iconPath = new vscode.ThemeIcon(row.icon.name, row.icon.color === null ? undefined : new vscode.ThemeColor(row.icon.color));
  item.contextValue = row.contextValue;
  item.accessibilityInformation = { label: spokenRow(row) };
  if (command !== undefined) item.command = command;
  return item;
}
