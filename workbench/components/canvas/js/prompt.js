import { element } from "../../shared/dom.js";
import { controlOf, problemOf, valueOf } from "./prompt-fields.js";

/**
 * @import { CommandName } from "./commands.js"
 * @import { Field } from "./prompt-fields.js"
 */

/**
 * What was filled in, by the name of the field.
 * @typedef {object} Answers
 * @property {(name: string) => number} number
 * @property {(name: string) => string} text
 */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {Field[]} fields
 * @property {(answers: Answers) => string} save gives a complaint, or nothing when it is done
 * @property {() => void} [cancel]
 * @property {() => void} [after] called when the form is gone, saved or not
 * @property {(frame: number) => Record<string, number> | null} [follow] gives values for the frame one goes to
 * @property {string} [label] of the button that saves
 * @property {[command: CommandName, text: string, title: string][]} [commands] further buttons
 * @property {boolean} [focus] whether the form takes the keyboard
 * @property {unknown} [subject] what it is about
 */

/** Asks for ranges of frames and for reasons, in a small form between picture and timeline. */
export class Prompt {
  /**
   * @param {HTMLElement} place
   * @param {{ back: () => void, changed: () => void }} handlers `back` takes the keyboard to the canvas
   */
  constructor(place, { back, changed }) {
    this.place = place;
    this.back = back;
    this.changed = changed;
    /** @type {Question | null} */
    this.question = null;
    /** @type {HTMLFormElement | null} */
    this.form = null;
    this.clear();
  }

  get open() {
    return this.form !== null;
  }

  /** Gives what the open form is about. */
  get subject() {
    return this.question?.subject ?? null;
  }

  /** Closes the form without saving. */
  close() {
    if (this.open) {
      const { cancel, after } = this.question ?? {};
      this.clear();
      this.back();
      cancel?.();
      after?.();
    }
  }

  /**
   * Opens a form in place of the one that may be open.
   * @param {Question} question
   */
  show(question) {
    const complaint = element("span", { className: "says bad", attributes: { role: "alert" } });
    const form = element(
      "form",
      { noValidate: true },
      element("h3", {}, question.title),
      ...question.fields.map(controlOf),
      element(
        "span",
        { className: "end" },
        element("button", { className: "main", type: "submit" }, question.label ?? "Save"),
        ...(question.commands ?? []).map(([command, text, title]) =>
          element("button", { type: "button", title, dataset: { do: command } }, text),
        ),
        element("button", { type: "button", onclick: () => this.close() }, "Cancel"),
      ),
      complaint,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(form, question, complaint);
    });
    form.addEventListener("input", () => this.changed());
    this.form = form;
    this.question = question;
    this.place.replaceChildren(form);
    this.place.hidden = false;
    this.changed();
    if (question.focus ?? true) {
      (this.first() ?? form.querySelector("input"))?.focus();
    } else {
      // Enter saves: on the button that opened the form, it would press that again.
      this.back();
    }
  }

  /** Saves, as the button does. */
  submit() {
    this.form?.requestSubmit();
  }

  /** Takes the keyboard to the reason. */
  focusReason() {
    this.first()?.focus();
  }

  /**
   * Tells the form which frame one goes to.
   * @param {number} frame
   */
  follow(frame) {
    const values = this.question?.follow?.(frame) ?? {};
    for (const [name, value] of Object.entries(values)) {
      this.set(name, value);
    }
  }

  /**
   * Writes another title.
   * @param {string} title
   */
  retitle(title) {
    const heading = this.form?.querySelector("h3");
    if (heading) {
      heading.textContent = title;
    }
  }

  /**
   * Gives the number in a field.
   * @param {string} name
   * @returns {number | null} null when no form with such a field is open
   */
  number(name) {
    const control = this.control(name);
    return control ? Number(control.value) : null;
  }

  /**
   * Raises a number to at least another one, which is also the least that "until" may be.
   * @param {string} name
   * @param {number} least
   */
  raise(name, least) {
    const control = this.control(name);
    if (control) {
      const limit = name === "until" ? "min" : "max";
      control[limit] = String(least);
      this.set(name, Math.max(Number(control.value), least));
    }
  }

  /**
   * Lowers a number, and the least that it may be, to at most another one.
   * @param {string} name
   * @param {number} most
   */
  lower(name, most) {
    const control = this.control(name);
    if (control) {
      control.min = String(most);
      this.set(name, Math.min(Number(control.value), most));
    }
  }

  /**
   * Puts a number into a field.
   * @param {string} name
   * @param {number} value
   */
  set(name, value) {
    const control = this.control(name);
    if (control) {
      control.value = String(value);
    }
  }

  /**
   * @param {string} name
   * @returns {HTMLInputElement | null}
   */
  control(name) {
    const control = this.form?.elements.namedItem(name);
    return control instanceof HTMLInputElement ? control : null;
  }

  /** @returns {HTMLElement | null} the field that the keyboard goes to */
  first() {
    return this.form?.querySelector("[data-first]") ?? null;
  }

  /**
   * @param {HTMLFormElement} form
   * @param {Question} question
   * @param {HTMLElement} complaint
   */
  save(form, { fields, save, after }, complaint) {
    const values = new Map(fields.map(({ name }) => [name, valueOf(form, name)]));
    const wrong = problemOf(fields, values);
    const problem = wrong?.problem ?? save(answersOf(values));
    if (problem) {
      complaint.textContent = problem;
      this.control(wrong?.name ?? "")?.focus();
    } else {
      this.clear();
      this.back();
      after?.();
    }
  }

  clear() {
    this.form = null;
    this.question = null;
    this.place.hidden = true;
    this.place.replaceChildren();
  }
}

/**
 * @param {Map<string, string>} values
 * @returns {Answers}
 */
function answersOf(values) {
  return { number: (name) => Number(values.get(name)), text: (name) => values.get(name) ?? "" };
}
