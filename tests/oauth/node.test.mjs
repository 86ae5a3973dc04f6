// The gateway in Node, in front of an OpenID provider's tokens.
import { scenarios } from './scenarios.mjs';

scenarios('node');
