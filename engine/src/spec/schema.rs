//! The JSON Schemas of what users write, made from the structs that read it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::connection::RawConnection;
use super::process::RawProcess;

/// What `sluice process schema` prints.
pub fn json_schema() -> Value {
    schema_of::<RawProcess>()
}

/// The schema of one `[connections.NAME]` of `sluice.toml`.
pub fn connection_schema() -> Value {
    schema_of::<RawConnection>()
}

fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    forget_null(&mut schema);
    schema
}

/// TOML has no null: a key that may be left out is not one that may be null.
fn forget_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, value| key != "default" || !(value.is_null() || value.is_array()));
            forget_null_type(object);
            forget_null_choice(object);
            object.values_mut().for_each(forget_null);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_null),
        _ => {}
    }
}

/// `"type": ["string", "null"]` becomes `"type": "string"`.
fn forget_null_type(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get_mut("type") else {
        return;
    };
    types.retain(|name| name != "null");
    if let [only] = types.as_slice() {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
}

/// `"anyOf": [{"$ref": ...}, {"type": "null"}]` becomes `"$ref": ...`.
fn forget_null_choice(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = choices.as_slice() {
        let mut only = only.clone();
        object.remove("anyOf");
        object.append(&mut only);
    }
}
