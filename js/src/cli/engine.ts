/** The engine as the command line asks it about configurations and profiles. */

import engine from '../engine.wasm';

import { Engine } from '../engine.js';
import { type Findings, inspect } from '../gateway.js';
import { moduleOf } from '../module.js';
import { passwords } from '../node.js';
import type { Options } from '../types.js';

/** What is wrong with a configuration (JSON text), and the secrets it names. */
export async function inspected(json: string, secrets: Options['secrets']): Promise<Findings> {
  // A configuration for Envoy is judged as Envoy will judge it.
  const { algorithms } = await passwords();
  const forEnvoy = (JSON.parse(json) as { envoy?: unknown } | null)?.envoy !== undefined;
  return inspect(await moduleOf(engine), json, secrets, forEnvoy ? [] : algorithms);
}

/** What works between an IdP and a provider. */
export interface Cell {
  idp: string;
  provider: string;
  capability: string;
  state: 'supported' | 'emulated' | 'limited' | 'unsupported' | 'not executed';
  why?: string;
  manual?: string;
}

/** A profile in the list. */
export interface Entry {
  name: string;
  title: string;
  version: string | null;
  extends: string | null;
  idp: boolean;
  provider: boolean;
}

/** A profile in full, as far as pages of it show something. */
export interface Profile {
  name: string;
  title: string;
  version?: string;
  roles: [idp: boolean, provider: boolean];
  schemas?: { id: string; attributes?: Attribute[] }[];
  resourceTypes: Record<string, { endpoint: string; schema: string; extensions?: Record<string, unknown> }>;
  idp?: Record<string, unknown>;
  provider?: Record<string, unknown>;
  evidence?: Record<string, string>;
  repairs: Record<string, { text: string; rfc: string; always: boolean }>;
}

interface Attribute {
  name: string;
  required?: boolean;
}

const asked = async (name: string): Promise<unknown> => new Engine(await moduleOf(engine)).profiles(name);

export const listProfiles = async (): Promise<Entry[]> => (await asked('')) as Entry[];
export const readProfile = async (name: string): Promise<Profile | undefined> => (await asked(name)) as Profile | undefined;
export const readMatrix = async (): Promise<Cell[]> => (await asked('*')) as Cell[];
