// A client made of the MCP SDK for TypeScript: `typescript.mjs PACKAGE ENDPOINT STORE TOOL ARGUMENTS`.
//
// PACKAGE is @modelcontextprotocol/sdk (1.x) or @modelcontextprotocol/client (2.x). What it is given at sign-in is kept in
// the file STORE, so that the next call needs no browser. Prints {"tools": [names], "answer": the tool's result}.

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const [name, endpoint, store, tool, given] = process.argv.slice(2);
const old = name === "@modelcontextprotocol/sdk";
const { Client } = await import(old ? `${name}/client/index.js` : name);
const { StreamableHTTPClientTransport } = await import(old ? `${name}/client/streamableHttp.js` : name);
const { UnauthorizedError } = await import(old ? `${name}/client/auth.js` : name);

const kept = existsSync(store) ? JSON.parse(readFileSync(store, "utf8")) : {};
const keep = (key) => (value) => {
  kept[key] = value;
  writeFileSync(store, JSON.stringify(kept), { mode: 0o600 });
};

const landed = Promise.withResolvers();
const listener = createServer((request, response) => {
  response.setHeader("Content-Type", "text/html").end("<h1>Signed in</h1>");
  landed.resolve(new URL(request.url, "http://127.0.0.1").searchParams);
});
await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));
const redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;

const authProvider = {
  redirectUrl,
  clientMetadata: {
    client_name: name,
    redirect_uris: [redirectUrl],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
  },
  clientInformation: () => kept.client,
  saveClientInformation: keep("client"),
  tokens: () => kept.tokens,
  saveTokens: keep("tokens"),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: keep("verifier"),
  discoveryState: () => kept.discovery,
  saveDiscoveryState: keep("discovery"),
  redirectToAuthorization: (url) => spawn(process.env.BROWSER, [url.href], { stdio: "ignore" }),
};

async function connected() {
  const client = new Client({ name: "typescript", version: "1" });
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const query = await landed.promise;
    await transport.finishAuth(old ? query.get("code") : query);
    return connected();
  }
  return client;
}

const client = await connected();
const { tools } = await client.listTools();
const answer = await client.callTool({ name: tool, arguments: JSON.parse(given) });
console.log(JSON.stringify({ tools: tools.map((one) => one.name), answer }));
await client.close();
listener.close();
listener.closeAllConnections();
