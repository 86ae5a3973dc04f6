// What a simulated provider objects to: in strict mode an objection ends the request, in lenient mode it is only noted.

/** Ends a request with a SCIM error. */
export class Refusal extends Error {
  constructor(status, scimType, detail) {
    super(detail);
    Object.assign(this, { status, scimType, detail });
  }
}

/** The objections to one request, each with the name of the rule it breaks. */
export class Judge {
  violations = [];

  /** `names`: what a provider's own rules call the ones of the RFC. */
  constructor(strict, names = {}) {
    this.strict = strict;
    this.names = names;
  }

  /** Notes a broken rule that the provider itself passes over in silence. */
  note(rule, detail) {
    this.violations.push({ rule: this.names[rule] ?? rule, detail });
  }

  /** Notes a broken rule of the provider's dialect; a strict provider refuses the request for it. */
  object(rule, scimType, detail, status = 400) {
    this.note(rule, detail);
    if (this.strict) throw new Refusal(status, scimType, `${this.names[rule] ?? rule}: ${detail}`);
  }

  /** Notes a broken rule that no provider could overlook, and refuses the request. */
  refuse(rule, scimType, detail, status = 400) {
    this.note(rule, detail);
    throw new Refusal(status, scimType, `${this.names[rule] ?? rule}: ${detail}`);
  }
}
