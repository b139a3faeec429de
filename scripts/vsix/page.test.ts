import assert from "node:assert/strict";
import { test } from "node:test";
import { publishedPage } from "./page.ts";

const PAGE = "# Burla\n\n![a job](../docs/images/job.png)\n\nSee [the guide](../docs/guide.md), [below](#below) and [Node](https://nodejs.org).\n";

test("with a repository, paths are relative to its root", () => {
  assert.equal(publishedPage(PAGE, true), PAGE.replaceAll("../docs", "docs"));
});

test("without one, nothing leads into it", () => {
  assert.equal(publishedPage(PAGE, false), "# Burla\n\nSee the guide, [below](#below) and [Node](https://nodejs.org).\n");
});

test("a picture within a line goes, one from elsewhere stays", () => {
  assert.equal(publishedPage("a ![x](media/x.png) b ![y](https://example.com/y.png)", false), "a  b ![y](https://example.com/y.png)");
});
