// Compiles as CommonJS with Node's types.
import * as http from 'node:http';

import { createGateway } from 'scimlock';
import { createListener, createServer } from 'scimlock/node';

void createGateway('{}', { secrets: process.env }).then((gateway) => [createServer(gateway).listen(0), http.createServer(createListener(gateway))]);
