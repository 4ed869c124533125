/* A small form between still and timeline: ranges of frames and reasons are asked for here. */

class Ask {
  constructor(place, { back, changed }) {
    this.place = place;
    this.back = back;
    this.changed = changed;
    this.cancel = null;
    this.following = null;
  }

  get open() { return !this.place.hidden; }

  close() {
    if (!this.open) return;
    const cancel = this.cancel;
    this.cancel = null;
    this.following = null;
    this.place.hidden = true;
    this.place.replaceChildren();
    this.back();
    if (cancel) cancel();
  }

  /* fields: {name, label, type: "number" | "text" | "choice", value, min, max, options, required, hint};
     `save` gets their values by name and may return a complaint; `follow` is told the frame one goes to meanwhile. */
  show({ title, fields, save, cancel = null, follow = null, label = "Save", focus = true }) {
    this.cancel = null;
    this.following = follow;
    const complaint = element("span", { className: "says bad", attributes: { role: "alert" } });
    const form = element("form", { noValidate: true }, element("h3", {}, title), ...fields.map((field) => this.field(field)),
      element("span", { className: "end" }, element("button", { className: "main", type: "submit" }, label),
        element("button", { type: "button", onclick: () => this.close() }, "Cancel")), complaint);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [problem, where] = this.problem(form, fields) || [save(this.values(form, fields))];
      if (problem) {
        complaint.textContent = problem;
        form.elements[where]?.focus();
        return;
      }
      this.cancel = null;
      this.close();
    });
    this.form = form;
    this.cancel = cancel;
    form.addEventListener("input", () => this.changed());
    this.place.replaceChildren(form);
    this.place.hidden = false;
    this.changed();
    if (focus) (form.querySelector("[data-first]") || form.querySelector("input")).focus();
  }

  submit() { this.form.requestSubmit(); }

  /* To the reason, from the keyboard. */
  why() { if (this.open) this.form.querySelector("[data-first]")?.focus(); }

  follow(frame) { if (this.open && this.following) this.following(frame, this.form.elements); }

  field({ name, label, type, value, min, max, options, hint, first }) {
    if (type === "choice") {
      return element("fieldset", { attributes: { "aria-label": label } }, ...options.map(([option, text]) => element("label", {},
        element("input", { type: "radio", name, value: option, checked: option === value }), text)));
    }
    const input = element("input", { type, name, value: value ?? "", placeholder: hint || "", className: type === "number" ? "number" : "" });
    if (type === "number") Object.assign(input, { min, max, step: 1 });
    else Object.assign(input, { maxLength: 2000, autocomplete: "off" });
    if (first) input.dataset.first = "1";
    return element("label", { className: type === "text" ? "wide" : "" }, label, input);
  }

  values(form, fields) {
    return Object.fromEntries(fields.map(({ name, type }) => {
      const value = form.elements[name].value;
      return [name, type === "number" ? Number(value) : value.trim()];
    }));
  }

  problem(form, fields) {
    for (const { name, label, type, min, max, required } of fields) {
      const value = form.elements[name].value.trim();
      if (required && !value) return ["Give a reason: it goes on record.", name];
      if (type === "number" && !(Number.isInteger(Number(value)) && value !== "" && Number(value) >= min && Number(value) <= max)) {
        return [`${label}: a whole number from ${min} to ${max}.`, name];
      }
    }
    return null;
  }
}
