// What VS Code's own gallery makes of the registry at an address: `node read.mjs URL SEARCH`, JSON on stdout.
//
// Its services are VS Code's (src/vs/platform/mcp/common/mcpGallery*.ts); only the request, which there goes through the
// workbench's window, is made here, as a page of another origin makes it: what has no CORS header is not there.

import { bufferToStream, VSBuffer } from "@codingame/monaco-vscode-api/vscode/vs/base/common/buffer";
import { McpGalleryManifestService } from "@codingame/monaco-vscode-mcp-service-override/vscode/vs/platform/mcp/common/mcpGalleryManifestService";
import { McpGalleryService } from "@codingame/monaco-vscode-mcp-service-override/vscode/vs/platform/mcp/common/mcpGalleryService";

const [url, search] = process.argv.slice(2);
const asked = [];
const requests = {
  async request({ url, type }) {
    asked.push(url);
    const answer = await fetch(url, { method: type, headers: { Origin: "vscode-file://vscode-app" } });
    if (answer.headers.get("access-control-allow-origin") !== "*") throw new Error(`no CORS: ${url}`);
    const body = VSBuffer.wrap(new Uint8Array(await answer.arrayBuffer()));
    return { res: { statusCode: answer.status, headers: Object.fromEntries(answer.headers) }, stream: bufferToStream(body) };
  },
};
const log = { error: console.error, warn: console.error, info() {}, trace() {}, debug() {} };

const manifests = new McpGalleryManifestService({}, requests, log);
const manifest = await manifests.createMcpGalleryManifest(url);
const gallery = new McpGalleryService(requests, {}, log, { getMcpGalleryManifest: async () => manifest });
const { firstPage } = await gallery.query();
const found = await gallery.query({ text: search });
const named = await gallery.getMcpServersFromGallery(firstPage.items.map(({ name }) => ({ name })));
const missing = await gallery.getMcpServersFromGallery([{ name: "com.example/another" }]);
console.log(JSON.stringify({
  version: manifest.version,
  servers: firstPage.items,
  more: firstPage.hasMore,
  found: found.firstPage.items.map(({ name }) => name),
  named,
  missing,
  asked,
}));
