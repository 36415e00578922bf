//! The page of the API, and whether an answer is what it says. Knows what of JSON Schema the page uses,
//! and fails at anything else, so that nothing of the page goes unread.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The page.
pub struct Page(pub Value);

/// An operation of the page: its method, its route, and what it says.
pub type Operation<'p> = (String, &'p str, &'p Value);

impl Page {
    pub fn read() -> Self {
        Self(serde_json::from_str(pathward::manage::OPENAPI).unwrap())
    }

    /// Every operation.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut all = Vec::new();
        for (route, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if method != "parameters" {
                    all.push((method.to_uppercase(), route.as_str(), operation));
                }
            }
        }
        all
    }

    /// The route that this target is of.
    pub fn route(&self, target: &str) -> Option<&str> {
        let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let target = parts(target.split('?').next().unwrap());
        let mut routes: Vec<&str> =
            self.0["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        routes.sort_by_key(|route| route.matches('{').count());
        routes.into_iter().find(|route| {
            let route = parts(route);
            let fits = |(a, b): (&String, &String)| a.starts_with('{') || a == b;
            route.len() == target.len() && route.iter().zip(&target).all(fits)
        })
    }

    /// The statuses that the page has for an operation.
    pub fn statuses(&self, operation: &Value) -> BTreeSet<u16> {
        let responses = operation["responses"].as_object().unwrap();
        responses.keys().map(|status| status.parse().unwrap()).collect()
    }

    /// What is wrong with an answer, as this operation's.
    pub fn check(
        &self,
        operation: &Value,
        status: u16,
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<(), String> {
        let response = &operation["responses"][status.to_string()];
        if response.is_null() {
            return Err(format!("the page has no {status}"));
        }
        let response = self.resolve(response);
        if let Some(headers) = response["headers"].as_object() {
            for (name, of) in headers {
                if of["required"] == Value::Bool(true) && header(name).is_none() {
                    return Err(format!("there is no header {name}"));
                }
            }
        }
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            return if body.is_empty() { Ok(()) } else { Err("there is a body".to_owned()) };
        }
        if header("content-type").as_deref() != Some("application/json") {
            return Err("it is not JSON".to_owned());
        }
        let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        self.fits(schema, &value, "$")
    }

    /// Whether a value is what a schema of the page's components says.
    pub fn fits_component(&self, name: &str, value: &Value) -> Result<(), String> {
        self.fits(&self.0["components"]["schemas"][name], value, "$")
    }

    fn resolve<'p>(&'p self, value: &'p Value) -> &'p Value {
        match value["$ref"].as_str() {
            Some(at) => {
                self.0.pointer(at.strip_prefix('#').unwrap()).expect("a reference to something")
            }
            None => value,
        }
    }

    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolve(schema).as_object().expect("a schema is an object");
        let wrong = |what: String| Err(format!("{at}: {what}, but is {value}"));
        for (keyword, says) in schema {
            match keyword.as_str() {
                "type" => {
                    let names = says.as_array().cloned().unwrap_or_else(|| vec![says.clone()]);
                    if !names.iter().any(|name| is_of(name.as_str().unwrap(), value)) {
                        return wrong(format!("is {says}"));
                    }
                }
                "enum" if !says.as_array().unwrap().contains(value) => {
                    return wrong(format!("is one of {says}"));
                }
                "const" if says != value => return wrong(format!("is {says}")),
                "minimum" if value.as_i64().is_some_and(|n| n < says.as_i64().unwrap()) => {
                    return wrong(format!("is at least {says}"));
                }
                "maxLength"
                    if value.as_str().is_some_and(|text| {
                        text.chars().count() as u64 > says.as_u64().unwrap()
                    }) =>
                {
                    return wrong(format!("has at most {says} characters"));
                }
                "pattern" => {
                    assert_eq!(says, "^[0-9a-f]{16}$", "teach this test the pattern");
                    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                    let text = value.as_str().unwrap_or_default();
                    if text.len() != 16 || !text.bytes().all(is_hex) {
                        return wrong(format!("matches {says}"));
                    }
                }
                "oneOf" | "anyOf" => {
                    let all = says.as_array().unwrap();
                    let tried: Vec<_> = all.iter().map(|one| self.fits(one, value, at)).collect();
                    let fit = tried.iter().filter(|result| result.is_ok()).count();
                    if fit == 0 || (keyword == "oneOf" && fit > 1) {
                        return wrong(format!("fits {fit} of {keyword}: {tried:?}"));
                    }
                }
                "items" => {
                    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.fits(says, item, &format!("{at}[{n}]"))?;
                    }
                }
                "properties" => self.properties(schema, value, at)?,
                "enum" | "const" | "minimum" | "maxLength" => {}
                "required" | "additionalProperties" => assert!(schema.contains_key("properties")),
                "description" | "default" | "writeOnly" => {}
                other => panic!("teach this test `{other}`"),
            }
        }
        Ok(())
    }

    fn properties(
        &self,
        schema: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let Some(value) = value.as_object() else { return Ok(()) };
        let properties = schema["properties"].as_object().unwrap();
        for name in schema["required"].as_array().into_iter().flatten() {
            if !value.contains_key(name.as_str().unwrap()) {
                return Err(format!("{at}: there is no {name}"));
            }
        }
        for (name, value) in value {
            match properties.get(name) {
                Some(schema) => self.fits(schema, value, &format!("{at}.{name}"))?,
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    return Err(format!("{at}: the page has no `{name}`"));
                }
                None => {}
            }
        }
        Ok(())
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("teach this test the type `{other}`"),
    }
}

#[test]
fn the_page_has_every_route_and_no_other() {
    let page = Page::read();
    let on_page: BTreeSet<(String, String)> = page
        .operations()
        .into_iter()
        .map(|(method, route, _)| (method, route.to_owned()))
        .collect();
    let routes: BTreeSet<(String, String)> = pathward::manage::ROUTES
        .iter()
        .map(|(method, route)| ((*method).to_owned(), (*route).to_owned()))
        .collect();
    assert_eq!(on_page, routes);
    assert_eq!(page.0["openapi"], "3.1.0");
    // Names are told apart by programs that are made of the page.
    let ids: BTreeSet<_> = page
        .operations()
        .iter()
        .map(|(_, _, o)| o["operationId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), page.operations().len());
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let page = Page::read();
    let good =
        serde_json::json!({ "id": "x", "access": "none", "manage": false, "connections": null });
    assert_eq!(page.fits_component("Key", &good), Ok(()));
    for (field, value) in [
        ("id", Value::from(5)),
        ("access", "some".into()),
        ("manage", Value::Null),
        ("connections", "s3+x".into()),
        ("key", "k".into()),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        page.fits_component("Key", &bad).unwrap_err();
    }
    let mut bad = good;
    bad.as_object_mut().unwrap().remove("id");
    page.fits_component("Key", &bad).unwrap_err();
}
