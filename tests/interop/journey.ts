// What an integrator's program does with the generated types: person, activity, award, read, verify.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const [baseUrl, token, badge] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const slug = "itip";

function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const person = good(
  await client.PUT("/api/v1/campuses/{slug}/external-ids/people/{external}", {
    params: { path: { slug, external: "TS-1" } },
    body: { given_name: "Maël", family_name: "Kervran", address: "mael.kervran@exemple.fr" },
  }),
);
const activity = good(
  await client.POST("/api/v1/campuses/{slug}/activities", {
    params: { path: { slug } },
    body: { kind: "workshop", title: "Atelier", starts_on: "2026-11-24", ends_on: "2026-11-24" },
  }),
);
const batch = good(
  await client.POST("/api/v1/campuses/{slug}/awards", {
    params: { path: { slug } },
    body: { badge, activity: activity.id, people: [{ given_name: "Maël", family_name: "Kervran", address: "mael.kervran@exemple.fr" }] },
  }),
);
const award_id = batch.lines[0]?.award;
if (!award_id) throw new Error(JSON.stringify(batch));
const award = good(
  await client.GET("/api/v1/campuses/{slug}/awards/{award_id}", { params: { path: { slug, award_id } } }),
);
const credential = good(
  await client.GET("/api/v1/campuses/{slug}/awards/{award_id}/credential", { params: { path: { slug, award_id } } }),
);
const report = good(await client.POST("/api/v1/verify", { body: credential }));
console.log(JSON.stringify({ person: person.id, award: award.id, verdict: report.verdict }));
