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

  constructor(strict) {
    this.strict = strict;
  }

  /** Notes a broken rule of the provider's dialect; a strict provider refuses the request for it. */
  object(rule, scimType, detail, status = 400) {
    this.violations.push({ rule, detail });
    if (this.strict) throw new Refusal(status, scimType, `${rule}: ${detail}`);
  }

  /** Notes a broken rule that no provider could overlook, and refuses the request. */
  refuse(rule, scimType, detail, status = 400) {
    this.violations.push({ rule, detail });
    throw new Refusal(status, scimType, `${rule}: ${detail}`);
  }
}
