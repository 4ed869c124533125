import { element } from "../../shared/dom.js";

/**
 * A number between two others.
 * @typedef {{ type: "number", name: string, label: string, min: number, max: number, value: number }} NumberField
 */

/**
 * A sentence, which may be needed.
 * @typedef {{ type: "text", name: string, label: string, first?: boolean, hint?: string,
 *   required?: boolean, missing?: string, value?: string }} TextField
 */

/**
 * One of several values, each with its name.
 * @typedef {{ type: "choice", name: string, label: string, value: string, options: [string, string][] }} ChoiceField
 */

/**
 * What is decided, to look at before.
 * @typedef {{ type: "preview", name: string, preview: HTMLElement }} PreviewField
 */

/** @typedef {NumberField | TextField | ChoiceField | PreviewField} Field */

/** Most characters of a sentence. */
const LONGEST = 2000;

/**
 * Finds the first value that cannot be saved.
 * @param {Field[]} fields
 * @param {Map<string, string>} values
 * @returns {{ problem: string, name: string } | null}
 */
export function problemOf(fields, values) {
  for (const field of fields) {
    const { name } = field;
    const value = values.get(name) ?? "";
    if (field.type === "text" && field.required && !value) {
      return { problem: field.missing ?? "Enter a reason. It is kept with the amendment.", name };
    }
    if (field.type === "number" && !isWholeNumber(value, field.min, field.max)) {
      return { problem: `${field.label}: enter a whole number from ${field.min} to ${field.max}.`, name };
    }
  }
  return null;
}

/**
 * @param {string} value
 * @param {number} min
 * @param {number} max
 */
function isWholeNumber(value, min, max) {
  const number = Number(value);
  return value !== "" && Number.isInteger(number) && number >= min && number <= max;
}

/**
 * Gives what was filled in.
 * @param {HTMLFormElement} form
 * @param {string} name of the field
 * @returns {string}
 */
export function valueOf(form, name) {
  const control = form.elements.namedItem(name);
  return control instanceof HTMLInputElement || control instanceof RadioNodeList ? control.value.trim() : "";
}

/**
 * Makes the control of a field, with its label.
 * @param {Field} field
 */
export function controlOf(field) {
  if (field.type === "preview") {
    return field.preview;
  }
  if (field.type === "choice") {
    return choiceOf(field);
  }
  const { name, label, type } = field;
  const input = element("input", { type, name });
  if (type === "number") {
    const { min, max, value } = field;
    Object.assign(input, { className: "number", min, max, step: 1, value });
    return element("label", {}, label, input);
  }
  Object.assign(input, {
    value: field.value ?? "",
    placeholder: field.hint ?? "",
    maxLength: LONGEST,
    autocomplete: "off",
  });
  if (field.first) {
    input.dataset.first = "1";
  }
  return element("label", { className: "wide" }, label, input);
}

/** @param {ChoiceField} field */
function choiceOf({ name, label, value, options }) {
  const choices = options.map(([option, text]) =>
    element("label", {}, element("input", { type: "radio", name, value: option, checked: option === value }), text),
  );
  return element("fieldset", { attributes: { "aria-label": label } }, ...choices);
}
