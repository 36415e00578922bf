# A program of R against a gateway, by httr, R's usual library for HTTP. Algorithmia's client for R is only on
# CRAN, so this asks as it does: the key without a scheme, `URLencode` of the whole address, every PUT as
# `application/json`, and content that httr turns into what its type says.
#
#     Rscript --vanilla r_suite.R CONFIG.json
#
# Prints lines as py_suite.py does. See run.py for the rest.

CONFIG <- jsonlite::fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = FALSE)

address <- function(connection, path, query = "") {
  utils::URLencode(paste0(CONFIG$base, "/v1/data/", connection, "://", CONFIG$bucket, "/", path, query))
}
readable <- function(path, ...) address("s3+saha", path, ...)
work <- function(path, ...) address("s3+rw", paste0(CONFIG$work, path), ...)
key <- function(name = "full") httr::add_headers(Authorization = CONFIG$keys[[name]])

get <- function(url, ..., name = "full") httr::GET(url, key(name), ...)
put <- function(url, data, name = "full") httr::PUT(url, key(name), body = data, httr::content_type_json())
delete <- function(url, name = "full") httr::DELETE(url, key(name))
create <- function(parent, child) {
  httr::POST(parent, key(), body = jsonlite::toJSON(list(name = child), auto_unbox = TRUE), httr::content_type_json())
}
exists_file <- function(url, name = "full") httr::status_code(httr::HEAD(url, key(name))) == 200
exists_dir <- function(url) httr::status_code(get(url)) == 200

# As bytes: in the locale C, R would write <U+00FC> for a letter.
say <- function(line) writeLines(enc2utf8(as.character(jsonlite::toJSON(line, auto_unbox = TRUE))), useBytes = TRUE)
# What is stored is written into a file: the driver takes its digest.
stored <- function(path, data) {
  file <- tempfile(tmpdir = CONFIG$folder)
  writeBin(data, file)
  say(list(stored = paste0(CONFIG$work, path), file = file))
}
bytes <- function(text) charToRaw(enc2utf8(text))
raw_of <- function(response) httr::content(response, as = "raw")
text_of <- function(response) httr::content(response, as = "text", encoding = "UTF-8")

equal <- function(found, wanted, about = "") {
  if (!identical(found, wanted)) {
    show <- function(value) substr(paste(deparse(value), collapse = " "), 1, 300)
    stop(paste(show(found), "is not", show(wanted), about))
  }
}
refused <- function(response, status, words = CONFIG$messages$denied) {
  equal(httr::status_code(response), as.integer(status))
  message <- httr::content(response)$error$message
  if (!startsWith(message, words)) stop(message)
}
names_of <- function(entries, of) vapply(entries, function(entry) entry[[of]], "")
listing <- function(url) {
  found <- list(files = list(), folders = list(), pages = 0)
  query <- list()
  repeat {
    page <- httr::content(get(url, query = query))
    found$files <- c(found$files, page$files)
    found$folders <- c(found$folders, page$folders)
    found$pages <- found$pages + 1
    if (is.null(page$marker) || found$pages == 20) return(found)
    query <- list(marker = page$marker)
  }
}

CHECKS <- list(
  a_file_as_what_it_is = function() {
    response <- get(readable("reports/text.txt"))
    equal(httr::http_type(response), "text/plain")
    equal(httr::content(response, encoding = "UTF-8"), CONFIG$text)
    equal(httr::content(get(readable("reports/data.json")))[["\u00e4"]], list(1L, 2.5, NULL))
    rows <- utils::read.csv(text = text_of(get(readable("test_data.csv"))), header = FALSE, colClasses = "character",
                            fileEncoding = "", encoding = "UTF-8")
    equal(enc2utf8(rows[[2]]), vapply(CONFIG$csv_rows, function(row) row[[2]], ""))
  },
  a_file_as_bytes = function() {
    data <- raw_of(get(readable("team.jpg")))
    equal(length(data), CONFIG$team_size)
    equal(data, rep(as.raw(0:255), 41))
    equal(httr::headers(get(readable("team.jpg")))[["x-data-type"]], "file")
  },
  a_file_into_a_file = function() {
    path <- tempfile(tmpdir = CONFIG$folder)
    get(readable("team.jpg"), httr::write_disk(path))
    equal(readBin(path, "raw", 1e6), rep(as.raw(0:255), 41))
  },
  a_part_of_a_file = function() {
    response <- get(readable("team.jpg"), httr::add_headers(Range = "bytes=256-259"))
    equal(httr::status_code(response), 206L)
    equal(raw_of(response), as.raw(0:3))
  },
  # It says application/json of everything, and would take the type back for the truth.
  put_text_is_no_json = function() {
    for (name in c("kept/notes.txt", "kept/plain")) {
      equal(httr::status_code(put(work(name), "not JSON: gr\u00fc\u00dfe")), 200L)
      response <- get(work(name))
      equal(httr::http_type(response), if (endsWith(name, ".txt")) "text/plain" else "application/octet-stream")
      equal(text_of(response), "not JSON: gr\u00fc\u00dfe")
      stored(name, bytes("not JSON: gr\u00fc\u00dfe"))
    }
  },
  put_json = function() {
    put(work("kept/value.json"), jsonlite::toJSON(list(a = 1, error = "of the user"), auto_unbox = TRUE))
    equal(httr::content(get(work("kept/value.json"))), list(a = 1L, error = "of the user"))
    stored("kept/value.json", bytes('{"a":1,"error":"of the user"}'))
  },
  put_file_and_megabytes = function() {
    path <- tempfile(tmpdir = CONFIG$folder)
    set.seed(16)
    data <- as.raw(sample(0:255, 5e6, replace = TRUE))
    writeBin(data, path)
    put(work("kept/large"), httr::upload_file(path))
    equal(raw_of(get(work("kept/large"))), data)
    stored("kept/large", data)
  },
  put_overwrites_and_delete = function() {
    put(work("twice"), "the first, which is longer")
    put(work("twice"), "second")
    equal(rawToChar(raw_of(get(work("twice")))), "second")
    equal(exists_file(work("twice")), TRUE)
    equal(text_of(delete(work("twice"))), '{"result":{"deleted":1}}')
    equal(exists_file(work("twice")), FALSE)
    refused(delete(work("twice")), 404, "there is no file or directory")
  },
  odd_names = function() {
    names <- c("a b.txt", "a+b.txt", "p!$&'()*,;=:@~.txt", "\u00fc.txt", "\u65e5\u672c.txt")
    for (name in names) {
      put(work(paste0("names/", name)), name)
      equal(text_of(get(work(paste0("names/", name)))), name)
      stored(paste0("names/", name), bytes(name))
    }
    equal(sort(enc2utf8(names_of(listing(work("names"))$files, "filename"))), sort(names))
  },
  a_listing = function() {
    found <- listing(readable("reports"))
    equal(as.list(names_of(found$files, "filename")), CONFIG$reports$files)
    equal(as.list(names_of(found$folders, "name")), CONFIG$reports$folders)
    equal(found$files[[3]]$size, length(bytes(CONFIG$text)))
    age <- difftime(Sys.time(), as.POSIXct(strptime(found$files[[3]]$last_modified, "%Y-%m-%dT%H:%M:%S.000Z", tz = "UTC")),
                    units = "hours")
    equal(abs(as.numeric(age)) < 2, TRUE)
  },
  a_listing_of_thousands = function() {
    found <- listing(readable("many"))
    equal(c(length(found$files), length(found$folders)), c(CONFIG$many$files, CONFIG$many$folders))
    equal(length(unique(names_of(found$files, "filename"))), CONFIG$many$files)
    equal(found$pages > 1, TRUE)
  },
  directories = function() {
    equal(exists_dir(work("made")), FALSE)
    for (time in 1:2) equal(httr::status_code(create(work(""), "made")), 200L)
    equal(exists_dir(work("made")), TRUE)
    put(work("made/sub/file"), "x")
    refused(delete(work("made")), 409, "")
    equal(httr::status_code(delete(work("made", "?force=true"))), 200L)
    equal(c(exists_dir(work("made")), exists_file(work("made/sub/file"))), c(FALSE, FALSE))
  },
  denied = function() {
    secret <- readable("secret/k.txt")
    refused(get(secret), 403)
    refused(put(secret, "x"), 403)
    refused(delete(secret), 403)
    refused(get(readable("secret/")), 403)
    refused(create(readable("secret"), "new"), 403)
    refused(delete(readable("secret", "?force=true")), 403)
    refused(put(readable("reports/text.txt"), "x"), 403)
    refused(put(work("none"), "x", name = "read_only"), 403)
    refused(get(readable("team.jpg"), name = "none"), 403)
    refused(get(readable("team.jpg"), name = "wrong"), 401, CONFIG$messages$key)
    refused(get(address("s3+theirs", "team.jpg")), 403, "you have no data connection s3+theirs")
    equal(exists_file(secret), FALSE)
    refused(get(readable("reports/none")), 404, "there is no file or directory")
  }
)

failed <- 0
for (name in names(CHECKS)) {
  problem <- tryCatch({
    CHECKS[[name]]()
    ""
  }, error = function(error) paste(conditionMessage(error), collapse = " "))
  if (nchar(problem) > 0) failed <- failed + 1
  say(list(name = name, ok = nchar(problem) == 0, detail = problem))
}
quit(status = if (failed > 0) 1 else 0)
