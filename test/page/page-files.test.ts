import { describe, expect, it } from "vitest";

import { PageFiles } from "../../api/page/files.ts";
import { pagePolicy } from "../../api/page/policy.ts";
import { serverOfTest } from "../api/server.ts";

const text = async (files: PageFiles, name: string): Promise<string> =>
  String((await files.find(name))?.body);

describe("the page's files", () => {
  it("name only each other", async () => {
    const files = new PageFiles();
    expect(files.names).toContain("main.js");
    for (const name of files.names.filter((one) => one.endsWith(".js"))) {
      const imported = [...(await text(files, name)).matchAll(/from\s*"([\w./-]+)"/g)];
      for (const [, specifier = ""] of imported) {
        expect(files.names, `${name} imports ${specifier}`).toContain(specifier.replace("./", ""));
      }
    }
    const html = await text(files, "index.html");
    for (const [, path = ""] of html.matchAll(/(?:src|href)="\/page\/([^"]+)"/g)) {
      expect(files.names).toContain(path);
    }
  });

  it("have neither script nor style inline, and name no other server", async () => {
    const files = new PageFiles();
    const html = await text(files, "index.html");
    expect(html).not.toMatch(/<style|style=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
    for (const name of files.names) {
      const addresses = (await text(files, name)).match(/https?:\/\/[^\s"')]+/g) ?? [];
      const fetched = addresses.filter((one) => !/w3\.org|whatwg\.org/.test(one));
      expect(fetched, name).toEqual([]);
    }
  });

  it("never put the token where another page, or the disk, could have it", async () => {
    const files = new PageFiles();
    for (const name of files.names) {
      expect(await text(files, name), name).not.toMatch(
        /localStorage|sessionStorage|document\.cookie/,
      );
    }
  });
});

describe("GET /", () => {
  it("answers with the page under a policy that allows its own files alone", async () => {
    const { app } = await serverOfTest();
    const { statusCode, headers, body } = await app.inject({ url: "/" });
    expect(statusCode).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["content-security-policy"]).toBe(pagePolicy);
    expect(pagePolicy).toMatch(/^default-src 'none';/);
    expect(pagePolicy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(body).toContain('<script type="module" src="/page/main.js">');
  });

  it("answers 304 to whoever has the same page", async () => {
    const { app } = await serverOfTest();
    const { headers } = await app.inject({ url: "/" });
    const again = await app.inject({ url: "/", headers: { "if-none-match": headers.etag } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe("");
  });
});

describe("GET /page/{file}", () => {
  it("answers with scripts that a browser can run", async () => {
    const { app } = await serverOfTest();
    const { headers, body } = await app.inject({ url: "/page/seats-table.js" });
    expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(headers["content-security-policy"]).toBe(pagePolicy);
    expect(body).not.toContain("interface ");
    expect(body).not.toMatch(/\.ts"/);
  });

  it.each(["nothing.js", "main.ts", "..%2Froutes.ts", "tsconfig.json", "%2e%2e%2ffiles.ts"])(
    "answers 404 to %s",
    async (name) => {
      const { app } = await serverOfTest();
      const answer = await app.inject({ url: `/page/${name}` });
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: "route-unknown" });
    },
  );

  it("tells the page whether anybody has to sign in", async () => {
    const { app } = await serverOfTest();
    expect((await app.inject({ url: "/page/settings" })).json()).toEqual({ access: "open" });
  });
});
