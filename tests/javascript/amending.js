import { AmendmentForms } from "../../workbench/components/canvas/js/amendment-forms.js";
import { Amendments } from "../../workbench/components/canvas/js/amendments.js";
import { BoxEditor } from "../../workbench/components/canvas/js/box-editor.js";
import { Jumps } from "../../workbench/components/canvas/js/jumps.js";
import { Projection } from "../../workbench/components/canvas/js/projection.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { face, noting, reviewData, track } from "./made.js";

/** Remembers the form that is open, and fills it in. */
class FakePrompt {
  question = null;
  titles = [];

  get open() {
    return this.question !== null;
  }

  get subject() {
    return this.question?.subject ?? null;
  }

  show(question) {
    this.question = question;
    this.numbers = Object.fromEntries(question.fields.map(({ name, value }) => [name, value]));
  }

  close() {
    const cancel = this.question?.cancel;
    this.question = null;
    cancel?.();
  }

  number(name) {
    return typeof this.numbers?.[name] === "number" ? this.numbers[name] : null;
  }

  retitle(title) {
    this.titles.push(title);
  }

  raise(name, least) {
    this.set(name, Math.max(this.numbers[name], least));
  }

  lower(name, most) {
    this.set(name, Math.min(this.numbers[name], most));
  }

  set(name, value) {
    if (name in this.numbers) {
      this.numbers[name] = value;
    }
  }

  fill(values) {
    const answers = { ...this.numbers, ...values };
    const text = (name) => answers[name] ?? "";
    const complaint = this.question.save({ number: text, text });
    if (!complaint) {
      this.question = null;
    }
    return complaint;
  }
}

/** Makes what amends at frame 30, where track 1 has its face; `sent` is what went to the page. */
export function amending(more = {}, frame = { faces: [face(1)] }) {
  const state = new ReviewState(reviewData({ tracks: [track(1, 20, 40)], ...more }));
  Object.assign(state, { index: 30, painted: 30, current: frame });
  const sent = [];
  const status = noting("say");
  const seen = noting("tell");
  const amendments = new Amendments(state, seen, status, (name, value) => sent.push([name, value]));
  const prompt = new FakePrompt();
  const jumps = new Jumps(state, noting("goTo"), status);
  const parts = { amendments, jumps, prompt, status };
  const projection = new Projection({ width: 320, height: 240 });
  projection.fit(320, 240);
  const forms = new AmendmentForms(state, parts);
  const editor = new BoxEditor(state, projection, parts);
  const actions = () => sent.flatMap(([, { actions: told }]) => told);
  const said = () => status.calls.at(-1)?.[1];
  return { state, amendments, amendmentParts: parts, forms, editor, prompt, seen, sent, actions, said };
}
