// All shows the person may see.
import type { JSX } from "preact";
import { useResource } from "../../api/store";
import type { Page, Show } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { Link } from "../../parts/router";
import { t } from "../../words";

export function ShowsView(): JSX.Element {
  const shows = useResource<Page<Show>>("/shows", { query: { limit: 200 }, topics: [{ kinds: ["show"] }] });
  const error = shows.error.value;
  return (
    <div class="page">
      <h1>{t("shows.title")}</h1>
      {error && <ErrorBox error={error} retry={() => void shows.reload()} />}
      <ul>
        {shows.data.value?.items.map((show) => (
          <li key={show.id}>
            <Link to={`/shows/${show.code}`}>{show.name}</Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
