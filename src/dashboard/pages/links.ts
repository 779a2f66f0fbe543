type Parameters = Readonly<Record<string, string | number | readonly string[] | null | undefined>>

/** Where pages are, under whatever path the dashboard is mounted. */
export class Links {
  /** `''`, or a path such as `/admin/jobs`. */
  readonly base: string

  constructor(base: string) {
    this.base = base
  }

  overview(parameters?: Parameters): string {
    return this.#to('/', parameters)
  }

  queue(name: string, parameters?: Parameters): string {
    return this.#to(`/queues/${encodeURIComponent(name)}`, parameters)
  }

  /** Where a form that names a queue leads to its jobs. */
  anyJobs(parameters?: Parameters): string {
    return this.#to('/jobs', parameters)
  }

  /** The jobs of a queue. */
  jobs(queueName: string, parameters?: Parameters): string {
    return this.#to(`/queues/${encodeURIComponent(queueName)}/jobs`, parameters)
  }

  job(id: string, parameters?: Parameters): string {
    return this.#to(`/jobs/${encodeURIComponent(id)}`, parameters)
  }

  /** All that the JSON API knows of a job, or what is below that: `/logs`. */
  jobAsJson(id: string, below = '', parameters?: Parameters): string {
    return this.#to(`/api/jobs/${encodeURIComponent(id)}${below}`, parameters)
  }

  deadLetters(parameters?: Parameters): string {
    return this.#to('/dead-letters', parameters)
  }

  workers(parameters?: Parameters): string {
    return this.#to('/workers', parameters)
  }

  audit(parameters?: Parameters): string {
    return this.#to('/audit', parameters)
  }

  search(): string {
    return this.#to('/search')
  }

  #to(path: string, parameters: Parameters = {}): string {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) {
      if (value === undefined || value === null || value === '') continue
      for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
        query.append(name, String(each))
      }
    }
    const text = query.toString()
    return `${this.base}${path}${text === '' ? '' : `?${text}`}`
  }
}
