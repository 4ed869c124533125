import assert from "node:assert/strict";
import { test } from "node:test";

import { problemOf } from "../../workbench/components/canvas/js/prompt-fields.js";

test("a number must be whole and within its limits", () => {
  const fields = [{ type: "number", name: "to", label: "To frame", min: 0, max: 99 }];
  for (const wrong of ["", "-1", "100", "1.5", "x"]) {
    const { problem } = problemOf(fields, new Map([["to", wrong]]));
    assert.equal(problem, "To frame: enter a whole number from 0 to 99.", wrong);
  }
  assert.equal(problemOf(fields, new Map([["to", "0"]])), null);
  assert.equal(problemOf(fields, new Map([["to", "99"]])), null);
});

test("a reason is needed only where it is said to be", () => {
  const field = { type: "text", name: "reason", label: "Reason" };
  assert.equal(problemOf([field], new Map([["reason", ""]])), null);
  const { problem } = problemOf([{ ...field, required: true }], new Map());
  assert.equal(problem, "Enter a reason. It is kept with the amendment.");
});

test("the first problem is told", () => {
  const number = { type: "number", label: "Number", min: 0, max: 9 };
  const fields = [
    { ...number, name: "from" },
    { ...number, name: "to" },
  ];
  const values = new Map([["from", "10"], ["to", "10"]]); // prettier-ignore
  assert.equal(problemOf(fields, values).name, "from");
});
