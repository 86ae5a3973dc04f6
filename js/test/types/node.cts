// Compiles as CommonJS with Node's types.
import { createServer } from 'node:http';

import { createGateway } from 'scimlock';
import { createListener } from 'scimlock/node';

void createGateway('{}', { secrets: process.env }).then((gateway) => createServer(createListener(gateway)));
